/**
 * The line that runs one schedule again: as one would write it in a test.
 */
import { format } from "effect/Formatter"

/** A value as code, as far as there is code for it. */
export const code = (value: unknown): string => {
  if (value instanceof Date) return `new Date(${Number.isNaN(value.getTime()) ? "NaN" : `"${value.toISOString()}"`})`
  if (value instanceof Set) return `new Set(${code([...value])})`
  if (value instanceof Map) return `new Map(${code([...value])})`
  if (Array.isArray(value)) return `[${value.map(code).join(", ")}]`
  if (typeof value !== "object" || value === null || !isPlain(value)) return Object.is(value, -0) ? "-0" : format(value)
  const fields = Object.entries(value).map(
    ([name, field]) => `${isName(name) ? name : JSON.stringify(name)}: ${code(field)}`
  )
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`
}

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value))
const isName = (name: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) && name !== "__proto__"

/** What decides how runs go, as values; and what only its owner can write again, by its name. */
const values = ["time", "lanes", "fibers", "results", "timers", "preempt", "cancel", "faults", "patience"] as const
const names = ["layer", "program", "check", "invariants"] as const

export const written = (
  calledAs: string,
  options: Readonly<Record<string, unknown>>,
  schedule: string,
  input: unknown
): string => {
  const given = (name: string) => options[name] !== undefined
  const parts = [
    ...values.filter(given).map((name) => `${name}: ${code(options[name])}`),
    ...names.filter(given),
    `replay: "${schedule}"`,
    ...(input === undefined ? [] : [`input: ${code(input)}`])
  ]
  return `${calledAs}(flow, { ${parts.join(", ")} })`
}
