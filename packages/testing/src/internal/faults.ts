/**
 * Faults that a test injects in place of a step's function.
 */
import * as Effect from "effect/Effect"
import type { Body } from "stepgraph/host"
import { TaggedError } from "stepgraph/internal"

/**
 * - `fail`: fails without doing anything
 * - `fail-after`: does its work and then fails, as if its answer were lost
 * - `die`: dies with a defect
 * - `interrupt`, `interrupt-after`: interrupts itself, before or after its work
 * - `hang`: never ends by itself
 * - `timeout`: reaches its time limit early, or the whole run does, if it has one
 */
export type FaultKind = CallFault | "timeout"
/** A fault in place of a call. */
export type CallFault = "fail" | "fail-after" | "die" | "interrupt" | "interrupt-after" | "hang"

export const faultKinds: ReadonlyArray<FaultKind> = [
  "fail",
  "fail-after",
  "die",
  "interrupt",
  "interrupt-after",
  "hang",
  "timeout"
]

export const faultTexts: Readonly<Record<CallFault, string>> = {
  fail: "is made to fail",
  "fail-after": "is made to fail after it has done its work",
  die: "is made to die",
  interrupt: "is interrupted before it begins",
  "interrupt-after": "is interrupted after it has done its work",
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

export const instead = (fault: CallFault, step: string, body: Body): Effect.Effect<unknown, unknown> => {
  switch (fault) {
    case "fail":
      return Effect.fail(new InjectedFault(step))
    case "fail-after":
      return Effect.andThen(body.discard(), Effect.fail(new InjectedFault(step)))
    case "die":
      return Effect.die(new Error(`step '${step}' was made to die by the test`))
    case "interrupt":
      return Effect.interrupt
    case "interrupt-after":
      return Effect.andThen(body.discard(), Effect.interrupt)
    case "hang":
      return Effect.never
  }
}
