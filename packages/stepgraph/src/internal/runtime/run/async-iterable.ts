/**
 * Turns a stream into an async iterable whose iterators behave like async generators: calls queue up, and each value is
 * delivered once. Effect's `Stream.toAsyncIterable` rejects all but one of several simultaneous pulls.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export const asyncIterable = <A>(stream: Stream.Stream<A, unknown>): AsyncIterable<A> => ({
  [Symbol.asyncIterator]: () => new StreamIterator(stream)
})

type Chunk<A> = readonly [A, ...Array<A>]

class StreamIterator<A> implements AsyncIterator<A, unknown> {
  readonly #scope = Scope.makeUnsafe()
  /** Subscribes on the first pull; later pulls take the next value. */
  #pull: Effect.Effect<Chunk<A>, unknown>
  #chunk: ReadonlyArray<A> = []
  #at = 0
  #waiting: Fiber.Fiber<Chunk<A>, unknown> | undefined
  /** The end of the last queued call, if any. */
  #last: Promise<void> | undefined
  /** Whether `return` or `throw` has been called: an earlier pull then takes what is available without waiting. */
  #leaving = false
  #ended = false

  constructor(stream: Stream.Stream<A, unknown>) {
    this.#pull = Effect.flatMap(Scope.provide(Stream.toPull(stream), this.#scope), (pull) => {
      this.#pull = pull
      return pull
    })
  }

  next(): Promise<IteratorResult<A, unknown>> {
    return this.#inTurn(() => this.#take())
  }

  return(value?: unknown): Promise<IteratorResult<A, unknown>> {
    this.#leave()
    return this.#inTurn(async () => {
      await this.#end()
      return { done: true, value: await value }
    })
  }

  throw(error?: unknown): Promise<IteratorResult<A, unknown>> {
    this.#leave()
    return this.#inTurn(async () => {
      await this.#end()
      throw error
    })
  }

  async #take(): Promise<IteratorResult<A, unknown>> {
    if (this.#at === this.#chunk.length && !this.#ended) await this.#refill()
    if (this.#ended) return { done: true, value: undefined }
    return { done: false, value: this.#chunk[this.#at++]! }
  }

  /** Takes the next chunk, or ends if there is none. */
  async #refill(): Promise<void> {
    const fiber = Effect.runFork(this.#pull)
    if (this.#leaving) fiber.interruptUnsafe()
    this.#waiting = fiber
    const exit = await Effect.runPromise(Fiber.await(fiber))
    this.#waiting = undefined
    if (Exit.isSuccess(exit)) {
      this.#chunk = exit.value
      this.#at = 0
      return
    }
    await this.#end()
    if (Pull.isDoneCause(exit.cause) || (this.#leaving && Cause.hasInterruptsOnly(exit.cause))) return
    throw Cause.squash(exit.cause)
  }

  #leave(): void {
    this.#leaving = true
    this.#waiting?.interruptUnsafe()
  }

  /** Releases the subscription and its buffer. */
  async #end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#chunk = []
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
  }

  /** The first call begins at once, so the subscription misses nothing; each later call waits for those before it. */
  async #inTurn<B>(call: () => Promise<B>): Promise<B> {
    const before = this.#last
    let leave!: () => void
    const turn = new Promise<void>((resolve) => {
      leave = resolve
    })
    this.#last = turn
    try {
      if (before !== undefined) await before
      return await call()
    } finally {
      if (this.#last === turn) this.#last = undefined
      leave()
    }
  }
}
