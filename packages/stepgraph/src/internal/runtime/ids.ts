/**
 * Ids that name causes: an invocation's is made of its step and of the events it was given, an event's of the invocation
 * that emitted it and its number there. So the same run in another timing has the same ids, and a long loop does not make
 * them longer.
 */

/** Two rounds of FNV-1a (Fowler, Noll, Vo) with different bases: 64 bits, so that ids of one run do not meet. */
const hash = (text: string): string => {
  let a = 0x811c9dc5
  let b = 0x01000193
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x811c9dc5) ^ (b >>> 13)
  }
  return (a >>> 0).toString(36).padStart(7, "0") + (b >>> 0).toString(36).padStart(7, "0")
}

export const invocationId = (step: string, causes: ReadonlyArray<string>): string =>
  `${step}#${hash(JSON.stringify([step, causes]))}`

export const eventId = (tag: string, cause: string, index: number): string =>
  `${tag}#${hash(JSON.stringify([tag, cause, index]))}`
