/**
 * Everything that can happen to a run. A run depends on its activations and their order alone, not on time, the scheduler or
 * chance. So a list of activations describes a run completely, and feeding it back repeats the run.
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
  /** An invocation has ended. If the run is at work, the end is handled as part of that work. */
  | { readonly _tag: "settled"; readonly delivery: Delivery; readonly exit: Exit.Exit<unknown, unknown> }
  /** A host lets a call's effects enter the run, and with its last call the end of the invocation. */
  | { readonly _tag: "entered"; readonly delivery: Delivery; readonly then: () => void }
  /** A timer has fired or been cancelled. */
  | { readonly _tag: "fired"; readonly flight: Flight; readonly then: () => void }
  /** A reader has taken an output and may have room for the next. */
  | { readonly _tag: "output-taken" }
  /** The run's own timeout has passed. */
  | { readonly _tag: "timed-out"; readonly after: Duration.Duration }
  /** The caller interrupts the run, or a step made a mistake that its own code might swallow. */
  | { readonly _tag: "interrupt"; readonly outcome: Exit.Exit<AnyEvent, unknown>; readonly reason: unknown }

/** Describes the current work, for the error if it breaks. */
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
