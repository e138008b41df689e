import { createRequire } from 'node:module'
import { runNodeApn } from './node-apn-program.ts'

await runNodeApn(createRequire(import.meta.url)('@parse/node-apn'))
