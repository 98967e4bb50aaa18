/**
 * All that can happen to a run. Nothing else changes it, and what it does follows from these and their order alone: no time, no
 * turn of a scheduler and no chance has a part in it. So a list of them is a run, and to do them again is to have it again.
 */
import type * as Duration from "effect/Duration"
import type * as Exit from "effect/Exit"
import type { AnyEvent } from "../../../Event.ts"
import type { Route } from "../../graph/graph.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Flight } from "../scope/scope.ts"

export type Activation =
  | { readonly _tag: "start"; readonly event: AnyEvent; readonly timeout: Duration.Input | undefined }
  /** An event from outside. */
  | { readonly _tag: "input"; readonly route: Route; readonly event: AnyEvent }
  | { readonly _tag: "inputs-closed" }
  /** An invocation has ended. One that ends while the run is at work is part of what is done then. */
  | { readonly _tag: "settled"; readonly delivery: Delivery; readonly exit: Exit.Exit<unknown, unknown> }
  /** A host lets all that a call did take effect, and the end of its invocation with it, where that is its last call. */
  | { readonly _tag: "entered"; readonly delivery: Delivery; readonly then: () => void }
  /** A time has passed, or will not be waited for any more. */
  | { readonly _tag: "fired"; readonly flight: Flight; readonly then: () => void }
  /** Somebody has taken an output, and may have room for the next. */
  | { readonly _tag: "output-taken" }
  /** The whole run has taken too long. */
  | { readonly _tag: "timed-out"; readonly after: Duration.Duration }
  /** Somebody wants no more of it, or a step has made a mistake that its own code might swallow. */
  | { readonly _tag: "interrupt"; readonly outcome: Exit.Exit<AnyEvent, unknown>; readonly reason: unknown }

/** What a run was doing, for the error of one that broke meanwhile. */
export const doing = (activation: Activation): string => {
  switch (activation._tag) {
    case "start":
      return "beginning"
    case "input":
      return "taking in an input"
    case "inputs-closed":
      return "closing the inputs"
    case "settled":
      return `ending step '${activation.delivery.node.name}'`
    case "entered":
      return `letting a call of step '${activation.delivery.node.name}' take effect`
    case "fired":
      return `letting a time pass at step '${activation.flight.node.name}'`
    case "output-taken":
      return "making room for outputs"
    case "timed-out":
      return "timing out"
    case "interrupt":
      return "being interrupted"
  }
}
