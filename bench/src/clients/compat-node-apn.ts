import apn from '@carillon/apns/compat/node-apn'
import { runNodeApn } from './node-apn-program.ts'

await runNodeApn(apn)
