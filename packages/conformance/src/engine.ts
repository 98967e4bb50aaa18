// What the laws are asked of: something that runs a workflow, and says what its steps did.
import type { Spec } from "./spec.ts"
import type { Ran, Timing } from "./world.ts"

export interface Engine {
  readonly name: string
  /** Runs the spec's workflow once, and goes on after its result until nothing moves any more. */
  readonly run: (spec: Spec, timing: Timing) => Promise<Ran>
}
