#!/bin/sh
# A system of your own, from nothing: the commands of the README. Runs in the repository.
set -e
npx carillon up --data ./data --ports auto &
up=$!
trap 'kill $up' EXIT
until [ -f ./data/endpoints.json ]; do sleep 0.1; done
npx carillon portal app create --data ./data --bundle-id com.example.app --name "Example"
npx carillon portal key create --data ./data --name "Back end" --out ./data/keys
npx carillon portal device add --data ./data --name "Desk phone"
