/**
 * This process as an owner of runs: it says every now and then that it is alive. If it does not for the time of a lease, or is
 * known to be dead, its runs are taken by others.
 */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { StoreService } from "../Store.ts"

/** Of this process: a pid alone does not tell which of two stores in it is alive. */
const alive = new Set<string>()

const isDead = (owner: string): boolean => {
  const [host, pid, token] = owner.split("/")
  if (host !== hostname() || token === undefined) return false
  if (Number(pid) === process.pid) return !alive.has(owner)
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as { readonly code?: string }).code === "ESRCH"
  }
}

export class Process {
  readonly owner = `${hostname()}/${process.pid}/${crypto.randomUUID().slice(0, 8)}`
  readonly store: StoreService
  readonly context: Context.Context<never>
  /** Whether it performs runs, or is here to look. */
  readonly performs: boolean
  closed = false
  private readonly lease: number
  private readonly fibers: Array<Fiber.Fiber<unknown>> = []

  constructor(store: StoreService, context: Context.Context<never>, lease: number, performs: boolean) {
    this.performs = performs
    this.store = store
    this.context = context
    this.lease = lease
  }

  /** Says that it is alive, and goes on saying so. Each time, it looks who is dead, and then does `takeUp`. */
  open(takeUp: Effect.Effect<void>): Effect.Effect<void> {
    const beat = this.store.beat(this.owner, this.lease)
    const buryDead = Effect.flatMap(this.store.owners, (owners) =>
      Effect.forEach(owners.filter(isDead), (owner) => this.store.bury(owner), { discard: true })
    )
    const lives = Effect.andThen(beat, buryDead)
    return Effect.suspend(() => {
      if (!this.performs) return Effect.void
      alive.add(this.owner)
      return Effect.andThen(
        lives,
        Effect.sync(() => this.repeat(Math.min(1000, this.lease / 4), Effect.andThen(lives, takeUp)))
      )
    })
  }

  /** Ends what it does again and again, and gives back all of its runs. `letGo` is done in between. */
  close(letGo: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.void
      this.closed = true
      return Fiber.interruptAll(this.fibers).pipe(
        Effect.andThen(letGo),
        Effect.andThen(this.performs ? this.store.release(this.owner) : Effect.void),
        Effect.andThen(Effect.sync(() => void alive.delete(this.owner)))
      )
    })
  }

  /** Does something every `millis`, until it is closed. */
  repeat(millis: number, effect: Effect.Effect<void>): void {
    this.fibers.push(this.fork(Effect.forever(Effect.andThen(Effect.sleep(millis), effect))))
  }

  now(): number {
    return Context.get(this.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return Effect.runForkWith(this.context)(effect)
  }
}
