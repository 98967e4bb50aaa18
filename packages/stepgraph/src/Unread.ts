/**
 * Handles promises in values that the run does not use. They may still reject, which must not end the program, because
 * nobody could have handled them.
 */
const nothing = () => {}

const deepest = 5
/**
 * A list may have billions of holes, and a tree as many leaves. Beyond this limit, the caller handles its own promises.
 */
const mostValues = 100_000

/** Marks all promises in a value as handled. It never reads `then`: that could start a lazy thenable. */
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
          // Getters are not called.
          visit(Object.getOwnPropertyDescriptor(value, key)?.value, depth + 1)
        }
        return
      }
      // Throws unless it is a promise, of this or another realm.
      Promise.prototype.then.call(value, nothing, nothing)
    } catch {}
  }
  visit(value, 0)
}
