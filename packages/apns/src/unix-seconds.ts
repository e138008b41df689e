import { expirationSecondsMax } from '@carillon/wire'

/** UNIX seconds of a time that was given either way. */
export const secondsOf = (time: number | Date): number =>
  time instanceof Date ? Math.floor(time.getTime() / 1000) : time

/** An expiration as the protocol takes it: whole UNIX seconds of 32 bits; undefined for what is none. */
export const expirationSecondsOf = (expiration: number | Date): number | undefined => {
  const seconds = secondsOf(expiration)
  return Number.isInteger(seconds) && seconds >= 0 && seconds <= expirationSecondsMax ? seconds : undefined
}
