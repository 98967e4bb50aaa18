/**
 * Releases scopes in which nothing more can happen, so a run of a week, or of ten thousand nested rounds, keeps only
 * live scopes.
 *
 * A scope is in use while something is in flight in it, an intake holds an event emitted in it, or one of its own
 * gathers and races has another round. Two rules follow:
 *
 * - A scope is over when neither it nor any scope inside it is in use: nothing is left that could emit there.
 * - A scope is bypassed when everything in use inside it is inside one younger scope of its own kind. Events there
 * belong to the younger, nearer scope, and make no round of the older one; combinations of two such events live in the
 * younger one as well. Nothing can reach the older scope again, so the younger one takes its place in the chain.
 */
import type { Scope } from "./scope.ts"

/** The owner of data kept per scope. */
export interface Closing {
  /** Nothing more can happen in a scope. */
  close(scope: Scope): void
}

export class Lifetime {
  /** Scopes that have gone out of use since the last check. */
  private readonly unused: ReadonlyArray<Scope> & { length: number }
  private readonly intakes: Closing

  constructor(root: Scope, intakes: Closing) {
    this.unused = root.unused
    this.intakes = intakes
  }

  /**
   * Releases scopes that are no longer needed. Called between two activations: within one, something removed here may be
   * added there.
   */
  letGo(): void {
    // Hot: called at each end of an invocation, and short enough to be inlined.
    if (this.unused.length > 0) this.look()
  }

  private look(): void {
    for (const scope of this.unused) {
      if (scope.inUse || scope.over) continue
      const alive = this.end(scope)
      if (!alive.inUse && alive.only !== undefined) this.bypass(alive, alive.only)
    }
    this.unused.length = 0
  }

  /** Ends a scope that is over, and those around it that are then over; returns the first one that is not. */
  private end(scope: Scope): Scope {
    let at = scope
    while (!at.inUse && at.empty) {
      const parent = at.parent!
      at.end()
      this.intakes.close(at)
      at = parent
    }
    return at
  }

  /**
   * Bypasses scopes that contain a younger scope of their own kind, among those with only one child. There are never
   * more of them than kinds, because no two of one kind stay.
   */
  private bypass(scope: Scope, only: Scope): void {
    let bottom = only
    while (!bottom.inUse && bottom.only !== undefined) bottom = bottom.only
    let top = scope
    while (top.parent?.parent !== undefined && !top.parent.inUse && top.parent.only !== undefined) top = top.parent
    const inside = new Map<number, Scope>()
    const last = top.parent
    for (let at: Scope | undefined = bottom; at !== undefined && at !== last; at = at.parent) {
      const younger = at === bottom ? undefined : inside.get(at.kind)
      if (younger === undefined) inside.set(at.kind, at)
      else {
        at.bypass(younger)
        this.intakes.close(at)
      }
    }
  }
}
