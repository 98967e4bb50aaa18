/**
 * Faults that a test injects in place of a step's function.
 */
import * as Effect from "effect/Effect"
import { hasProperty, isPromiseLike } from "effect/Predicate"
import * as Stream from "effect/Stream"
import { TaggedError } from "stepgraph/internal"

/**
 * - `fail`: fails without doing anything
 * - `fail after`: does its work and then fails, as if its answer were lost
 * - `die`: dies with a defect
 * - `interrupt`, `interrupt after`: interrupts itself, before or after its work
 * - `hang`: never ends by itself
 */
export type FaultKind = "fail" | "fail after" | "die" | "interrupt" | "interrupt after" | "hang"

export const faultKinds: ReadonlyArray<FaultKind> = [
  "fail",
  "fail after",
  "die",
  "interrupt",
  "interrupt after",
  "hang"
]

export const inWords: Readonly<Record<FaultKind, string>> = {
  fail: "is made to fail",
  "fail after": "is made to fail after it has done its work",
  die: "is made to die",
  interrupt: "is interrupted before it begins",
  "interrupt after": "is interrupted after it has done its work",
  hang: "is made to hang"
}

/** The error of a step that `explore` made fail. */
export class InjectedFault extends TaggedError("InjectedFault")<{
  readonly step: string
}> {
  constructor(step: string) {
    super({ step }, {}, () => `step '${step}' was made to fail by the test`)
  }
}

/** Runs a step completely, whatever its form, and drops its events. */
const done = (run: () => unknown): Effect.Effect<unknown, unknown> => Effect.suspend(() => drained(run()))

const drained = (value: unknown): Effect.Effect<unknown, unknown> => {
  if (typeof value !== "object" || value === null) return Effect.void
  if (Effect.isEffect(value)) return Effect.flatMap(value as Effect.Effect<unknown, unknown>, drained)
  if (isPromiseLike(value))
    return Effect.flatMap(
      Effect.tryPromise(() => value),
      drained
    )
  if (Stream.isStream(value)) return Stream.runDrain(value as Stream.Stream<unknown, unknown>)
  if (hasProperty(value, Symbol.asyncIterator)) {
    return Stream.runDrain(Stream.fromAsyncIterable(value as AsyncIterable<unknown>, (error) => error))
  }
  if (hasProperty(value, Symbol.iterator)) return Effect.sync(() => void [...(value as Iterable<unknown>)])
  return Effect.void
}

export const instead = (fault: FaultKind, step: string, run: () => unknown): Effect.Effect<unknown, unknown> => {
  switch (fault) {
    case "fail":
      return Effect.fail(new InjectedFault(step))
    case "fail after":
      return Effect.andThen(done(run), Effect.fail(new InjectedFault(step)))
    case "die":
      return Effect.die(new Error(`step '${step}' was made to die by the test`))
    case "interrupt":
      return Effect.interrupt
    case "interrupt after":
      return Effect.andThen(done(run), Effect.interrupt)
    case "hang":
      return Effect.never
  }
}
