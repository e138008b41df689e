import * as apns2 from '@carillon/apns/compat/apns2'
import { runApns2 } from './apns2-program.ts'

await runApns2(apns2, (options, { url, material }) => {
  return new apns2.ApnsClient({ ...options, port: Number(url.port), ca: material.ca })
})
