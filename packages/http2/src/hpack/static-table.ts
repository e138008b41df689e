/** The static table (RFC 7541 appendix A), flat: name and value of index 1, then of index 2, … */
const FIELDS = [
  ...[':authority', '', ':method', 'GET', ':method', 'POST', ':path', '/', ':path', '/index.html'],
  ...[':scheme', 'http', ':scheme', 'https', ':status', '200', ':status', '204', ':status', '206'],
  ...[':status', '304', ':status', '400', ':status', '404', ':status', '500', 'accept-charset', ''],
  ...['accept-encoding', 'gzip, deflate', 'accept-language', '', 'accept-ranges', '', 'accept', ''],
  ...['access-control-allow-origin', '', 'age', '', 'allow', '', 'authorization', '', 'cache-control', ''],
  ...['content-disposition', '', 'content-encoding', '', 'content-language', '', 'content-length', ''],
  ...['content-location', '', 'content-range', '', 'content-type', '', 'cookie', '', 'date', '', 'etag', ''],
  ...['expect', '', 'expires', '', 'from', '', 'host', '', 'if-match', '', 'if-modified-since', ''],
  ...['if-none-match', '', 'if-range', '', 'if-unmodified-since', '', 'last-modified', '', 'link', ''],
  ...['location', '', 'max-forwards', '', 'proxy-authenticate', '', 'proxy-authorization', '', 'range', ''],
  ...['referer', '', 'refresh', '', 'retry-after', '', 'server', '', 'set-cookie', ''],
  ...['strict-transport-security', '', 'transfer-encoding', '', 'user-agent', '', 'vary', '', 'via', ''],
  ...['www-authenticate', ''],
]

/** Entries of the static table: dynamic entries are numbered from one above. */
export const STATIC_COUNT = 61

/** Names and values by index; index 0 is not used (RFC 7541 §6.1). */
export const STATIC_NAMES: readonly string[] = ['', ...FIELDS.filter((_, at) => at % 2 === 0)]
export const STATIC_VALUES: readonly string[] = ['', ...FIELDS.filter((_, at) => at % 2 === 1)]

const firstByName = new Map<string, number>()
for (let index = STATIC_COUNT; index >= 1; index -= 1) firstByName.set(STATIC_NAMES[index]!, index)

/** The lowest static index with this name, 0 where there is none. */
export const staticNameIndex = (name: string): number => firstByName.get(name) ?? 0

/** The static index with this name and value, 0 where there is none. */
export const staticFieldIndex = (name: string, value: string): number => {
  const first = staticNameIndex(name)
  if (first === 0) return 0
  for (let index = first; index <= STATIC_COUNT && STATIC_NAMES[index] === name; index += 1) {
    if (STATIC_VALUES[index] === value) return index
  }
  return 0
}
