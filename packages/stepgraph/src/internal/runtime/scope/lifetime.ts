/**
 * Which scopes of a run can still see something happen, so that a run of a week, or of ten thousand rounds one in another, keeps
 * no more of them than are alive.
 *
 * A scope is in use while something is in flight in it, an intake holds an event that was emitted in it, or one of its own
 * gathers and races has a round to come. From that follow two rules:
 *
 * - A scope is over when neither it nor any scope inside of it is in use: nobody is left who could emit there.
 * - A scope is bypassed when all that is in use inside of it is inside of one younger scope of its own kind. What happens there
 *   belongs to the younger one, which is nearer, and it makes no round of the older; and what is put together of two events that
 *   come from there lives in the younger one as well. So nobody can ask for the older one again, and the younger one takes its
 *   place in the chain.
 */
import type { Scope } from "./scope.ts"

/** What keeps something for scopes. */
export interface Closing {
  /** Nothing can happen in a scope any more. */
  close(scope: Scope): void
}

export class Lifetime {
  /** Those that nothing uses any more since they were last looked at. */
  private readonly unused: ReadonlyArray<Scope> & { length: number }
  private readonly intakes: Closing

  constructor(root: Scope, intakes: Closing) {
    this.unused = root.unused
    this.intakes = intakes
  }

  /** Lets go what is no longer needed. Asked between two moments: within one, what is taken out here may be put in there. */
  letGo(): void {
    // Hot: asked at each end of an invocation, and short enough to be compiled into it.
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

  /** Ends a scope that is over, and those around it that are then over, too; gives the first that is not. */
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
   * Takes out what has a younger scope of its own kind inside of it, among those that only lead to one other. They are never
   * more than there are kinds, as no two of a kind stay.
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
