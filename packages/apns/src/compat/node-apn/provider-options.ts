/** An auth key. */
export interface ProviderToken {
  /** The `.p8`: a path, or its contents. */
  key: Buffer | string
  keyId: string
  teamId: string
}

/** The options of node-apn. */
export interface ProviderOptions {
  /** Absent: a certificate is used. */
  token?: ProviderToken
  /** A path, or PEM. Default: `cert.pem`. */
  cert?: string | Buffer
  /** A path, or PEM. Default: `key.pem`. */
  key?: string | Buffer
  /** Certificates to trust instead of Node's: paths, or PEM. */
  ca?: string | Buffer | (string | Buffer)[]
  /** A `.p12` instead of `cert` and `key`: a path, or its bytes. */
  pfx?: string | Buffer
  passphrase?: string
  /** Default: whether NODE_ENV is `production`. */
  production?: boolean
  /** Another host than Apple's. */
  address?: string
  /** Default: 443. */
  port?: number
  manageChannelsAddress?: string
  /** Default: 2196 in production, else 2195. */
  manageChannelsPort?: number
  /** An HTTP proxy for pushes and broadcasts. */
  proxy?: { host: string; port: number | string }
  /** An HTTP proxy for channel management. */
  manageChannelsProxy?: { host: string; port: number | string }
  /** False takes any certificate of the service. */
  rejectUnauthorized?: boolean
  /** How often a push is tried again, and how many connects may fail in a row until what waits fails. Default: 3. */
  connectionRetryLimit?: number
  /** Milliseconds without a frame from the service until a PING is sent. Default: 60000. */
  heartBeat?: number
  /** Milliseconds from sending to the answer; 0: no limit. Default: 5000. */
  requestTimeout?: number
}

/** Those of a MultiProvider. */
export interface MultiProviderOptions extends ProviderOptions {
  /** How many connections there may be. Default: 2. */
  clientCount?: number
}
