/**
 * Wraps every step of a workflow: returns a copy in which a user's function calls the steps' functions.
 */
import * as Effect from "effect/Effect"
import { hasProperty, isPromiseLike } from "effect/Predicate"
import { NoAnswer, StepRejected } from "./Errors.ts"
import { isOf } from "./Look.ts"
import { kindOf } from "./Options.ts"
import type { AnyStep, ServicesOf, Step, StepContext } from "./Step.ts"
import { type AnyWorkflow, compiledOf, type Workflow, workflow } from "./Workflow.ts"

/** The result of a step's function: an event, a list, a promise, an Effect, a generator, a Stream, or nothing. */
export interface StepResult {
  readonly "~stepgraph/StepResult": never
}

/** The union of the steps' errors. */
export interface StepFailure {
  readonly "~stepgraph/StepFailure": never
}

/** The union of the steps' services. */
export interface StepNeeds {
  readonly "~stepgraph/StepNeeds": never
}

/** One call of a step's function. */
export interface StepCall<Name extends string = string> {
  readonly workflow: string
  readonly step: Name
  /** The event, or the events of the step's intake. */
  readonly input: unknown
  readonly ctx: Pick<StepContext<any, never>, "get" | "set" | "update" | "signal" | "attempt" | "runId" | "step">
}

/** The step itself. */
export interface Next {
  /** Calls the step's function, and returns what it returns. */
  (): StepResult
  /**
   * The same as an Effect, which performs a returned Effect and waits for a returned promise. Events of a generator or a
   * Stream are emitted afterwards.
   */
  readonly effect: Effect.Effect<StepResult, StepFailure, StepNeeds>
}

type Wrapped = StepResult | PromiseLike<StepResult> | Effect.Effect<StepResult, StepFailure, any>

type Needing<S, R> =
  S extends Step<infer Accepted, infer Emitted, infer E, infer Own, infer Per, infer Asked, infer Streamed>
    ? Step<Accepted, Emitted, E, Own | R, Per, Asked, Streamed>
    : never
type Around<W, R> = [R] extends [never]
  ? W
  : W extends Workflow<infer Start, infer Stop, infer S, infer Inputs, infer Outputs, infer E>
    ? Workflow<Start, Stop, { readonly [K in keyof S]: Needing<S[K], R> }, Inputs, Outputs, E>
    : never

/**
 * Returns a copy of a workflow with a wrapper around every step: logging, a user's context, timing, a cache.
 *
 * `wrap` is called in place of each step's function, once for each attempt. It returns what `next()` returns, or an Effect
 * or a promise of it. The types stay: an Effect may add services, but no errors, and what `wrap` itself throws or rejects
 * with is a defect. A step's `timeout`, `retry` and `recover` are around it.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { around, defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { n: Schema.Number })
 * const Doubled = defineEvent("Doubled", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { n: Schema.Number })
 * const flow = workflow({
 *   name: "double", start: Start, stop: Stop,
 *   steps: {
 *     double: defineStep({ accepts: Start, emits: Doubled, run: ({ n }) => Doubled({ n: 2 * n }) }),
 *     stop: defineStep({ accepts: Doubled, emits: Stop, run: async ({ n }) => Stop({ n }) })
 *   }
 * })
 *
 * const calls: Array<string> = []
 * const logged = around(flow, ({ step, input }, next) => {
 *   calls.push(`${step} ${JSON.stringify(input)}`)
 *   return next()
 * })
 *
 * console.log((await runPromise(logged, { n: 3 })).n) // => 6
 * console.log(calls) // => [ 'double {"_tag":"Start","n":3}', 'stop {"_tag":"Doubled","n":6}' ]
 * ```
 */
export function around<W extends AnyWorkflow, Ret extends Wrapped>(
  flow: W,
  wrap: (call: StepCall<Extract<keyof W["steps"], string>>, next: Next) => Ret
): Around<W, Exclude<ServicesOf<Ret>, StepNeeds>> {
  if (typeof wrap !== "function") {
    throw new TypeError(`around takes a function, not ${kindOf(wrap)}: write (call, next) => next()`)
  }
  compiledOf(flow)
  const { name, steps } = flow as AnyWorkflow
  const wrapped = Object.entries(steps as Record<string, AnyStep>).map(([key, step]) => {
    const heeds = step.retry !== undefined || step.recover !== undefined
    const run = (input: unknown, ctx: StepContext<any, any, any>) => {
      const call = { workflow: name, step: key, input, ctx } as StepCall<any>
      return new Calling(call, () => step.run(input, ctx), heeds).through(wrap)
    }
    return [key, Object.freeze(Object.assign(Object.create(Object.getPrototypeOf(step)), step, { run }))]
  })
  return workflow({ ...flow, steps: Object.fromEntries(wrapped) }) as any
}

/** The promises of all steps with their rejections. Shared, because a cache may return one to a later call. */
const own = /*#__PURE__*/ new WeakSet<object>()

/** One call, which distinguishes the step's rejections from those of the wrapper. */
class Calling {
  private readonly call: StepCall<any>
  private readonly run: () => unknown
  /** Whether what the step's function throws counts as its rejection. */
  private readonly heeds: boolean
  private readonly reasons: Array<unknown> = []

  constructor(call: StepCall<any>, run: () => unknown, heeds: boolean) {
    this.call = call
    this.run = run
    this.heeds = heeds
  }

  through(wrap: (call: StepCall<any>, next: Next) => unknown): unknown {
    const next = Object.assign(() => this.next(), { effect: this.effect })
    let returned: unknown
    try {
      returned = wrap(this.call, next as unknown as Next)
    } catch (error) {
      if (!this.heeds) throw error
      return this.rejected(error)
    }
    if (!isPromise(returned) || own.has(returned)) return returned
    return returned.then(undefined, (reason) => this.rejected(reason))
  }

  private next(): unknown {
    let result: unknown
    try {
      result = this.run()
    } catch (error) {
      if (this.heeds) this.reject(error)
      throw error
    }
    if (!isPromise(result)) return result
    // Any other thenable may start again with each `then`.
    const promise = result instanceof Promise ? result : new Promise((resolve) => resolve(result))
    own.add(promise)
    promise.then(undefined, (reason) => this.reject(reason))
    return promise
  }

  /** The step itself rejects with this. */
  private reject(reason: unknown): void {
    if (isObject(reason)) own.add(reason)
    else this.reasons.push(reason)
  }

  private rejected(reason: unknown): unknown {
    if (isObject(reason) ? own.has(reason) : this.reasons.includes(reason)) throw reason
    return Effect.die(reason)
  }

  private get effect(): Effect.Effect<unknown, unknown> {
    return Effect.suspend(() => {
      const { workflow, step, input } = this.call
      let result: unknown
      try {
        result = this.run()
      } catch (cause) {
        if (!this.heeds) throw cause
        return Effect.fail(new StepRejected({ workflow, step, input, cause }))
      }
      if (Effect.isEffect(result)) return result as Effect.Effect<unknown, unknown>
      if (!isPromise(result)) return Effect.succeed(result)
      return Effect.tryPromise({
        try: () => result,
        catch: (cause) =>
          isOf(NoAnswer, cause) && cause.step === step && cause.input === input
            ? cause
            : new StepRejected({ workflow, step, input, cause })
      })
    })
  }
}

/** An event is not a promise, whatever its fields are called, and the result of `ctx.ask` is an Effect. */
const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  isPromiseLike(value) && !hasProperty(value, "_tag") && !Effect.isEffect(value)

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null
