/**
 * The work of an invocation in a fiber: emits as there is room, and waits for promises.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import { NoAnswer, StepRejected } from "../../../Errors.ts"
import type { Call } from "../../../Host.ts"
import { isOf } from "../../../Look.ts"
import { unread } from "../../../Unread.ts"
import type { Node } from "../../graph/graph.ts"
import type { Attempt } from "./attempt.ts"
import type { Receiver } from "./returned.ts"
import type { Run, Working } from "./run.ts"

/** An invocation that waits for promises. */
interface Waiting extends Working {
  readonly run: Run
  callOf(attempt: number, recovers: boolean): Call
}

/** An invocation that emits in a fiber. */
export interface Emitting extends Waiting {
  /** Whether further emissions are unwanted. */
  readonly unwanted: boolean
  readonly attempt: Attempt | undefined
  send(event: unknown): void
  emits(): void
  /** Under a host that settles calls, the fiber of a plain step waits for its promise. */
  awaits(): void
  emitEach(events: ReadonlyArray<unknown>, returned: boolean): void
}

/** Waits for a promise, and calls back at least once; the host may delay that. */
export const waitFor = (
  on: Waiting,
  promise: PromiseLike<any>,
  fulfilled: (value: any) => void,
  rejected: (cause: unknown) => void
): void => {
  const { run } = on
  const waits = run.host?.waits
  try {
    if (waits === undefined && promise instanceof Promise) promise.then(fulfilled, rejected)
    else {
      const come = waits?.(on.callOf(on.attempts, false)) ?? ((enter) => enter())
      // A promise calls back in the context captured now, any other thenable in an arbitrary one.
      const enter = (then: (value: any) => void) => (value: unknown) => come(() => run.inContext(() => then(value)))
      promise.then(enter(fulfilled), enter(rejected))
    }
  } catch (error) {
    rejected(error)
  }
}

export const rejection = ({ run, node, input }: Waiting, cause: unknown): Exit.Exit<never, StepRejected | NoAnswer> => {
  try {
    if (isOwnNoAnswer(cause, node, input)) return Exit.fail(cause)
    return Exit.fail(new StepRejected({ workflow: run.workflow, step: node.name, input, cause }))
  } catch (error) {
    return Exit.die(error)
  }
}

/**
 * Whether this step's own question was not answered, rather than one of a nested run. An error from a journal has an equal input
 * and not the same.
 */
export const isOwnNoAnswer = (cause: unknown, { asks, name }: Node, input: unknown): cause is NoAnswer =>
  asks.length > 0 && isOf(NoAnswer, cause) && cause.step === name && Equal.equals(cause.input, input)

export class Receiving implements Receiver {
  private readonly on: Emitting
  /** Whether what an iterator throws counts as a rejection. */
  private readonly heeded: boolean

  constructor(on: Emitting, heeded = false) {
    this.on = on
    this.heeded = heeded
  }

  thrown(error: unknown): Effect.Effect<never, unknown> {
    if (!this.heeded) throw error
    return rejection(this.on, error)
  }

  get timedOut(): boolean {
    return this.on.run.timedOut
  }

  get unwanted(): boolean {
    return this.on.unwanted
  }

  get hasRoom(): boolean {
    return this.on.run.hasRoom(this.on.node)
  }

  inContext<A>(work: () => A): A {
    return this.on.run.inContext(work)
  }

  whenRoom<A, E>(then: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.hasRoom ? then : Effect.flatMap(this.on.run.awaitRoom(this.on.node), () => then)
  }

  emits(): void {
    this.on.emits()
  }

  send(event: unknown): void {
    this.on.send(event)
  }

  emitReturned(events: ReadonlyArray<unknown>): Effect.Effect<void> {
    this.on.emits()
    return Effect.sync(() => this.on.emitEach(events, true))
  }

  emitOther(value: unknown): void {
    this.on.emits()
    this.on.emitEach([value], false)
  }

  /** Waits for a promise from now on, not from when the Effect runs: it may be interrupted before that. */
  settling<A>(promise: PromiseLike<A>, graced = false): Effect.Effect<A, StepRejected | NoAnswer> {
    const { on } = this
    const { attempt } = on
    let settled: Effect.Effect<A, StepRejected | NoAnswer> | undefined
    let resume: ((settled: Effect.Effect<A, StepRejected | NoAnswer>) => void) | undefined
    const settle = (effect: Effect.Effect<A, StepRejected | NoAnswer>) => {
      settled ??= effect
      resume?.(effect)
    }
    const fulfilled = (value: A) => {
      if (on.ended || on.cancelled || attempt?.over) unread(value)
      settle(Exit.succeed(value))
    }
    // The error is made in the fiber, which takes what making it may throw.
    waitFor(on, promise, fulfilled, (cause) => settle(Effect.suspend(() => rejection(on, cause))))
    return Effect.callback((waiting) => {
      if (settled !== undefined) waiting(settled)
      else resume = waiting
      if (!graced) return undefined
      return this.graceFor(
        Effect.callback<void>((ended) => {
          if (settled !== undefined) ended(Effect.void)
          else resume = () => ended(Effect.void)
        })
      )
    })
  }

  awaiting(promise: PromiseLike<unknown>): Effect.Effect<unknown, StepRejected | NoAnswer> {
    const { node, run } = this.on
    // As without a host, where only a plain step leaves its promise later: a retry or a recovery would begin meanwhile. A host
    // that lets promises come decides itself which comes first.
    const plain = !node.guarded && node.grace === undefined
    if (plain && run.host?.settle !== undefined && run.host.waits === undefined) this.on.awaits()
    return this.settling(promise, node.grace !== undefined)
  }

  graceFor<E>(ending: Effect.Effect<unknown, E>): Effect.Effect<void, E> | undefined {
    const { node, run } = this.on
    const { grace } = node
    if (grace === undefined) return undefined
    if (Duration.isZero(grace)) return Effect.void
    const left = run.sleep("grace", () => `${this.on.id}/${this.on.attempts}`, grace)
    return Effect.raceFirst(Effect.asVoid(ending), left)
  }
}
