/**
 * How a function uses its second argument, if its text proves it: an arrow function has no `arguments`, and a pattern
 * without a rest reads only the members it names.
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
