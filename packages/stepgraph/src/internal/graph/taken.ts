/**
 * How a function takes its second argument, as far as its text says so for sure: an arrow function has no `arguments`, and a
 * pattern without a rest reads no more than the members it names.
 */
export type Taken = "not at all" | "by members" | "somehow"

const parameter = /[\w$]+|\{[^=.(){}]*\}/.source
const members = /\{[^=.(){}]*\}/.source
const arrow = new RegExp(
  `^(?:async\\s*)?(?:[\\w$]+|\\(\\s*(?:(?:${parameter})\\s*(?:,\\s*(${members})?\\s*)?)?\\))\\s*=>`
)

export const secondTaken = (call: unknown): Taken => {
  const match = arrow.exec(Function.prototype.toString.call(call))
  if (match === null) return "somehow"
  return match[1] === undefined ? "not at all" : "by members"
}
