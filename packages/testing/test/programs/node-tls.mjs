// The named import of an ES module, and the form with port and host.
import { connect } from 'node:tls'

const socket = connect(443, 'api.push.apple.com', { ALPNProtocols: ['h2'] }, () => {
  console.log(JSON.stringify({ authorized: socket.authorized, protocol: socket.alpnProtocol }))
  socket.end()
})
