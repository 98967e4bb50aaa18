/**
 * Looks for work: takes up the runs that are due or left behind by a dead process, and hears what others have sent.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ActiveRuns } from "./active-runs.ts"
import type { Definitions } from "./definitions.ts"
import type { Listeners } from "./listeners.ts"
import type { Process } from "./process.ts"

/** What is claimed at once. */
const most = 100
const longestSleep = 3_600_000

export class Claims {
  private readonly process: Process
  private readonly definitions: Definitions
  private readonly active: ActiveRuns
  private readonly listeners: Listeners
  private wake: { readonly at: number; readonly fiber: Fiber.Fiber<unknown> } | undefined
  private changes: number | undefined
  private claiming = false
  private strays: ReadonlySet<string> = new Set()
  private claimAgain = false

  constructor(process: Process, definitions: Definitions, active: ActiveRuns, listeners: Listeners) {
    this.process = process
    this.definitions = definitions
    this.active = active
    this.listeners = listeners
  }

  /** Looks at what other processes have done. */
  get look(): Effect.Effect<void> {
    const { owner, store } = this.process
    return Effect.flatMap(store.changes, (changes) => {
      if (changes !== undefined && changes === this.changes) return Effect.void
      const signalled = Effect.flatMap(store.signalled(owner), (runs) =>
        Effect.forEach(
          runs.filter(({ id, messages }) => messages > (this.active.driverOf(id)?.seen ?? messages)),
          ({ id }) => this.active.fetch(id),
          { discard: true }
        )
      )
      return Effect.andThen(
        signalled,
        Effect.andThen(
          this.claim,
          Effect.sync(() => {
            this.changes = changes
            this.listeners.tellAll()
          })
        )
      )
    })
  }

  /** Takes up what is due. */
  get claim(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.process.performs || this.process.closed) return Effect.void
      if (this.claiming) {
        this.claimAgain = true
        return Effect.void
      }
      this.claiming = true
      this.claimAgain = false
      const { keys } = this.definitions
      const { owner, store } = this.process
      const once: Effect.Effect<void> = Effect.suspend(() =>
        Effect.flatMap(store.claim(owner, keys, most, this.active.tries), (runs) =>
          Effect.andThen(
            this.active.beginAll(runs),
            Effect.suspend(() => (runs.length < most || this.process.closed ? Effect.void : once))
          )
        )
      )
      const claim = Effect.andThen(
        once,
        Effect.map(store.nextWake(keys, this.active.tries), (next) => {
          if (next !== undefined) this.wakeAt(next)
        })
      )
      const over = Effect.sync(() => {
        this.claiming = false
      })
      return Effect.andThen(
        this.process.wholly(Effect.ensuring(claim, over)),
        Effect.suspend(() => (this.claimAgain ? this.claim : Effect.void))
      )
    })
  }

  /**
   * Takes up what the store holds for this process, and it knows nothing of: the answer was lost when it claimed or created the
   * run. What is on its way may look like it once.
   */
  get takeStrays(): Effect.Effect<void> {
    const { owner, store } = this.process
    return Effect.flatMap(store.owned(owner), (ids) => {
      const strays = ids.filter((id) => !this.active.has(id))
      const again = strays.filter((id) => this.strays.has(id))
      this.strays = new Set(strays)
      const take = (id: string) =>
        Effect.flatMap(store.get(id), (run) =>
          run?.owner === owner && !this.active.has(id) ? this.active.begin(run) : Effect.void
        )
      return this.process.wholly(Effect.forEach(again, take, { discard: true }))
    })
  }

  /** Claims, without waiting for it: what is due in one turn is taken up together. */
  soon(): void {
    if (!this.process.closed) this.process.fork(this.claim)
  }

  wakeAt(at: number): void {
    if (this.process.closed || (this.wake !== undefined && this.wake.at <= at)) return
    this.wake?.fiber.interruptUnsafe()
    const sleep = Effect.sleep(Math.min(longestSleep, Math.max(0, at - this.process.now())))
    const claim = Effect.suspend(() => {
      this.wake = undefined
      this.process.fork(this.claim)
      return Effect.void
    })
    this.wake = { at, fiber: this.process.fork(Effect.andThen(sleep, claim)) }
  }

  get close(): Effect.Effect<void> {
    return Effect.suspend(() => (this.wake === undefined ? Effect.void : Fiber.interrupt(this.wake.fiber)))
  }
}
