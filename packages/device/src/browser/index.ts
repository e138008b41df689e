/* The entry for browsers: nothing on this path needs Node. */
export {
  type BrowserDevice,
  type BrowserDeviceEvent,
  type BrowserDeviceOptions,
  type BrowserPush,
  openBrowserDevice,
} from './browser-device.ts'
export { type DeviceStorage, memoryStorage } from './device-storage.ts'
export { indexedDbStorage } from './drivers/indexed-db-storage.ts'
export type { OpenWebSocket, WebSocketLike } from './drivers/web-socket-transport.ts'
export type { SigningKey } from './web-identity.ts'
