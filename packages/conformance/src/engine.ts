// An engine, as the laws see it: runs a workflow and reports what its steps did.
import type { Spec } from "./spec.ts"
import type { Ran, Timing } from "./world.ts"

export interface Engine {
  readonly name: string
  /** Runs the spec's workflow once and continues after its result until nothing moves any more. */
  readonly run: (spec: Spec, timing: Timing) => Promise<Ran>
}
