/**
 * This process as an owner of runs: it says every now and then that it is alive. If it does not for the time of a lease, or is
 * known to be dead, its runs are taken by others.
 */
import { hostname } from "node:os"
import { threadId } from "node:worker_threads"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { StoreService } from "../Store.ts"

const known = Symbol.for("stepgraph/durable/owners")
/**
 * The owners of this thread: a pid alone does not tell which of two stores in it is alive. Two copies of this package in one
 * program share them, or each would take the other for dead.
 */
const alive: Set<string> = ((globalThis as { [known]?: Set<string> })[known] ??= new Set())

/** Another thread of this process is alive as long as it says so. */
const here = threadId === 0 ? `${process.pid}` : `${process.pid}.${threadId}`

const isDead = (owner: string): boolean => {
  const [host, place, token] = owner.split("/")
  if (host !== hostname() || token === undefined) return false
  if (place === here) return !alive.has(owner)
  const pid = Number(place!.split(".")[0])
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as { readonly code?: string }).code === "ESRCH"
  }
}

/** Milliseconds until something is tried again at which the store has failed. */
const pause = 1000

export class Process {
  readonly owner = `${hostname()}/${here}/${crypto.randomUUID().slice(0, 8)}`
  readonly store: StoreService
  readonly context: Context.Context<never>
  /** Whether it performs runs, or is here to look. */
  readonly performs: boolean
  closed = false
  readonly lease: number
  private readonly fibers: Array<Fiber.Fiber<unknown>> = []
  /** What must not be cut off by its end. */
  private readonly underWay = new Set<Fiber.Fiber<unknown, unknown>>()

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

  /**
   * Ends what it does again and again, and gives back all of its runs. `letGo` is done in between. A store that does not answer
   * is waited for no longer than a lease: then the runs are free without a word.
   */
  close(letGo: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.void
      this.closed = true
      const awhile = (effect: Effect.Effect<unknown>) => Effect.timeoutOption(Effect.interruptible(effect), this.lease)
      return Fiber.interruptAll(this.fibers).pipe(
        // A run that is claimed or created after the others were given back would be left to nobody.
        Effect.andThen(awhile(Effect.suspend(() => Fiber.awaitAll([...this.underWay])))),
        Effect.andThen(letGo),
        Effect.andThen(this.performs ? awhile(this.store.release(this.owner)) : Effect.void),
        Effect.andThen(Effect.sync(() => void alive.delete(this.owner)))
      )
    })
  }

  /** Does something every `millis`, until it is closed, whatever the store fails at. */
  repeat(millis: number, effect: Effect.Effect<void>): void {
    this.fibers.push(this.fork(Effect.forever(Effect.andThen(Effect.sleep(millis), this.insists(effect)))))
  }

  /** Tries again what the store fails at, until it works or this process is closed. */
  insists<A>(effect: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.catchCause(effect, (cause) => {
      if (this.closed || Cause.hasInterrupts(cause)) return Effect.failCause(cause)
      return Effect.logWarning("The store of durable runs failed, and will be tried again.", cause).pipe(
        Effect.andThen(Effect.sleep(pause)),
        Effect.andThen(this.insists(effect))
      )
    })
  }

  /** Does something to its end, also where whoever waits for it is interrupted: half of it would leave a run to nobody. */
  wholly<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const fiber = this.fork(effect)
      this.underWay.add(fiber)
      fiber.addObserver(() => this.underWay.delete(fiber))
      return Fiber.join(fiber)
    })
  }

  now(): number {
    return Context.get(this.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return Effect.runForkWith(this.context)(effect)
  }
}
