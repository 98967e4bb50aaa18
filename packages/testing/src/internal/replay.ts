/**
 * The line that replays one schedule, ready to paste into a test.
 */
import { identify } from "./show.ts"

const most = 2_000

/** A value as code, if possible; `undefined` if that would be too long to read. */
export const code = (value: unknown): string | undefined => {
  let left = most
  const written = (value: unknown, depth: number): string => {
    if (left-- <= 0 || depth === 0) throw new RangeError("too long")
    const list = (values: Iterable<unknown>, size: number) => {
      if (size > left) throw new RangeError("too long")
      return `[${[...values].map((item) => written(item, depth - 1)).join(", ")}]`
    }
    if (value instanceof Date) return `new Date(${Number.isNaN(value.getTime()) ? "NaN" : `"${value.toISOString()}"`})`
    if (value instanceof Set) return `new Set(${list(value, value.size)})`
    if (value instanceof Map) return `new Map(${list(value, value.size)})`
    if (Array.isArray(value)) return list(value, value.length)
    if (ArrayBuffer.isView(value) && value.byteLength > left) throw new RangeError("too long")
    if (typeof value !== "object" || value === null || !isPlain(value)) {
      return Object.is(value, -0) ? "-0" : identify(value)
    }
    const fields = Object.entries(value).map(
      ([name, field]) => `${isName(name) ? name : JSON.stringify(name)}: ${written(field, depth - 1)}`
    )
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`
  }
  try {
    const text = written(value, 32)
    return text.length > most ? undefined : text
  } catch {
    return undefined
  }
}

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value))
const isName = (name: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) && name !== "__proto__"

/** The options that affect runs: values as code, and the rest by name, for their owner to fill in. */
const values = ["time", "lanes", "fibers", "results", "timers", "preempt", "cancel", "faults", "patience"] as const
const names = ["layer", "program", "sends", "setup", "check", "invariants"] as const

export const written = (
  calledAs: string,
  options: Readonly<Record<string, unknown>>,
  schedule: string,
  input: unknown
): string => {
  const given = (name: string) => options[name] !== undefined
  const part = (name: string, value: unknown) => {
    const text = code(value)
    return text === undefined ? name : `${name}: ${text}`
  }
  const parts = [
    ...values.filter(given).map((name) => part(name, options[name])),
    ...(options.crash === true ? ["crash: true"] : given("crash") && options.crash !== false ? ["crash"] : []),
    ...names.filter(given),
    `replay: "${schedule}"`,
    ...(input === undefined ? [] : [part("input", input)])
  ]
  return `${calledAs}(flow, { ${parts.join(", ")} })`
}
