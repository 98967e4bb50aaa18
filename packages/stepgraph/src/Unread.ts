/**
 * What was given and is not used. A promise in it may still be rejected, which must not end the program: nobody could have
 * handled it.
 */
const nothing = () => {}

const deepest = 5
/** A list may have billions of holes, and a tree as many leaves: whoever gives more promises than this handles them. */
const mostValues = 100_000

/** Marks the promises in a value as handled, itself included. It asks for no `then`: a lazy thenable must not begin. */
export const unread = (value: unknown): void => {
  let left = mostValues
  const visit = (value: unknown, depth: number): void => {
    left--
    if (typeof value !== "object" || value === null || depth > deepest) return
    try {
      if (Array.isArray(value)) {
        for (let index = 0; index < value.length && left > 0; index++) visit(value[index], depth + 1)
        return
      }
      if (value instanceof Set || value instanceof Map) {
        for (const item of value) {
          if (left <= 0) return
          visit(item, depth + 1)
        }
        return
      }
      const prototype = Object.getPrototypeOf(value)
      if (prototype === Object.prototype || prototype === null) {
        for (const key of Object.keys(value)) {
          if (left <= 0) return
          // A getter is not asked for its promise.
          visit(Object.getOwnPropertyDescriptor(value, key)?.value, depth + 1)
        }
        return
      }
      // Throws for whatever is not a promise of this or another realm.
      Promise.prototype.then.call(value, nothing, nothing)
    } catch {}
  }
  visit(value, 0)
}
