// An engine, as the laws see it: runs a workflow and reports what its steps did.
import type { Spec } from "./spec.ts"
import type { Ran, Timing } from "./world.ts"

export interface Engine {
  readonly name: string
  /** Runs the spec's workflow once and continues after its result until nothing moves any more. */
  readonly run: (spec: Spec, timing: Timing) => Promise<Ran>
  /** The spec as the record of this engine shows it, where that is another. */
  readonly shows?: (spec: Spec) => Spec
  /** Why it cannot run a spec, or undefined. */
  readonly refuses?: (spec: Spec) => string | undefined
  /** Of the specs of a search, it runs one in so many. */
  readonly oneIn?: number
}
