/*
 * Sends a program's connections for Apple's push hosts to a system of your own, unmodified:
 *
 *     CARILLON_DATA=./data node --import @carillon/testing/redirect app.js
 *
 * CARILLON_DATA is the data directory of a running system (`carillon up --data ./data`).
 */
import { redirectAppleHosts } from './redirect/redirect-connections.ts'
import { routesOf } from './redirect/routes.ts'

redirectAppleHosts(routesOf(process.env.CARILLON_DATA))
