/**
 * Checks the options of a run before it begins: their names, and that they were not passed as the input.
 */
import type { AnyEvent } from "../../../Event.ts"
import { kindOf, refuseUnknown } from "../../../Options.ts"

/** The options of each entry point. */
export const doors = {
  run: ["state"],
  runPromise: ["state", "signal", "observe"],
  launch: ["state", "keep"],
  stream: ["state", "capacity"],
  launchPromise: ["state", "signal", "observe", "keep"]
} as const
export type Door = keyof typeof doors

export const checkOptions = (door: Door, options: unknown): void => {
  if (options === undefined) return
  refuseUnknown(door, options, doors[door])
  const { signal } = options as { readonly signal?: Partial<AbortSignal> | null }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new TypeError(`${door}: signal must be an AbortSignal, not ${kindOf(signal)}`)
  }
}

/**
 * `runPromise(flow, { signal })`: a start event without required fields would accept this, and the signal would be
 * lost.
 */
export const checkPlaces = (door: Door, start: AnyEvent, input: unknown, options: unknown): void => {
  if (options !== undefined || typeof input !== "object" || input === null) return
  const names = Object.keys(input)
  const all: ReadonlyArray<string> = [...doors.launchPromise, ...doors.stream]
  if (names.length === 0 || !names.every((name) => all.includes(name) && !(name in start))) return
  throw new TypeError(`${door}: the input comes first: ${door}(flow, {}, { ${names.join(", ")} })`)
}
