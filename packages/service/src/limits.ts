/** Every bound of the push service, with what happens when it is reached. Sections by folder. */
export const limits = {
  // gateway
  // registry
  // store and delivery
  // courier
} as const
