const apn = require('@carillon/apns/compat/node-apn')

const { KEY_FILE, KEY_ID, TEAM_ID, TOPIC } = process.env
const provider = new apn.Provider({
  token: { key: KEY_FILE, keyId: KEY_ID, teamId: TEAM_ID },
  production: true,
})
const notification = new apn.Notification()
notification.topic = TOPIC
notification.pushType = 'alert'
notification.alert = 'Hello'
notification.expiry = Math.floor(Date.now() / 1000) + 3600

provider.send(notification, process.argv.slice(2)).then(({ sent, failed }) => {
  for (const { device } of sent) console.log('sent', device)
  for (const { device, status, response, error } of failed) {
    if (status === 410) console.log('forget', device)
    else console.log('failed', device, response?.reason ?? error.message)
  }
  provider.shutdown()
})
