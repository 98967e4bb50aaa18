/**
 * What was given and is not used. A promise in it may still be rejected, which must not end the program: nobody could have
 * handled it.
 */
const nothing = () => {}

const deepest = 5

/** Marks the promises in a value as handled, itself included. It asks for no `then`: a lazy thenable must not begin. */
export const unread = (value: unknown, depth = 0): void => {
  if (typeof value !== "object" || value === null || depth > deepest) return
  try {
    if (Array.isArray(value) || value instanceof Set || value instanceof Map) {
      for (const item of value) unread(item, depth + 1)
      return
    }
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) {
      for (const key of Object.keys(value)) {
        // A getter is not asked for its promise.
        unread(Object.getOwnPropertyDescriptor(value, key)?.value, depth + 1)
      }
      return
    }
    // Throws for whatever is not a promise of this or another realm.
    Promise.prototype.then.call(value, nothing, nothing)
  } catch {}
}
