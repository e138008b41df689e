import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import { devicePath, header } from '@carillon/wire'
import { signToken } from '../../../packages/apns/src/token-signer.ts'
import { run } from './run.ts'

/** The least that can be written by hand over node:http2. */
await run(async ({ url, material }) => {
  const session = http2.connect(url, { ca: material.ca, maxSessionMemory: 1000 })
  await once(session, 'remoteSettings')
  const key = { ...material, privateKey: createPrivateKey(material.privateKey) }
  const headers = {
    [header.method]: 'POST',
    [header.path]: devicePath(material.deviceToken),
    [header.authorization]: `bearer ${signToken(key, Math.floor(Date.now() / 1000))}`,
    [header.apnsTopic]: material.topic,
    [header.apnsPushType]: 'alert',
    [header.apnsPriority]: '10',
    [header.apnsExpiration]: '0',
  }
  return {
    send(n) {
      return new Promise((resolve) => {
        const stream = session.request(headers)
        let isAccepted = false
        stream.on('response', (answer) => {
          isAccepted = answer[header.status] === 200 && answer[header.apnsId] !== undefined
        })
        stream.on('error', () => resolve(false))
        stream.on('close', () => resolve(isAccepted))
        stream.resume()
        stream.end(JSON.stringify({ aps: { alert: `Hello number ${n}`, sound: 'default' } }))
      })
    },
    close: () => session.close(),
  }
})
