#!/bin/sh
# Faults of a system that runs on ./data, from the command line.
set -eu

npx carillon faults set --data ./data --rule '{
  "id": "busy",
  "match": { "app": "com.example.app", "times": 3 },
  "fault": { "kind": "answer", "reason": "ServiceUnavailable", "retryAfter": 2 }
}'
npx carillon faults list --data ./data
npx carillon faults clear --data ./data
