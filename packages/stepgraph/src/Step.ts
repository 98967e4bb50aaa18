/**
 * Steps: their events, their function and its context. Data and types only.
 *
 * Longer than other modules: the types of a step refer to each other, and a third is documentation.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import type { Problem } from "./Definition.ts"
import type { NoAnswer, StepRejected, StepTimedOut } from "./Errors.ts"
import type { AnyDef, Defs, EventOf, EventsOf, TagOf, TagsOf } from "./Event.ts"
import { type AnyIntake, type Each, type Intake, isIntake } from "./Intake.ts"
import type { Limit } from "./Limit.ts"
import type { State } from "./State.ts"
import { isMade, listed, made, prototypeOf, tagsIn } from "./TypeId.ts"

type Accepts = AnyDef | Defs | AnyIntake
type InputOf<A> = A extends Intake<any, infer Input, any> ? Input : EventsOf<A>
type AcceptedTags<A> = A extends Intake<infer Tags, any, any> ? Tags : TagsOf<A>
/** `never` where none are given. */
export type GivenTags<D> = [D] extends [never] ? never : TagsOf<D>
type OneOf<D> = D extends Defs ? D[number] : D
type PerOf<A> = A extends Intake<any, any, infer Per> ? Per : never

export type { Problem }

/** The values that a step may emit directly. */
export type Emission<Out> = Out | Iterable<Out> | AsyncIterable<Out> | void

/** The values that a step's function may return. */
export type Returned<Out> =
  | Emission<Out>
  | Promise<Emission<Out>>
  | Effect.Effect<Emission<Out>, any, any>
  | Stream.Stream<Out, any, any>

/** A plain generator that yields Effects among its events. The type accepts it, so that it can be refused with a message. */
interface Plain<Out> extends Generator<Out | Effect.Effect<any, any, any>, unknown, any> {}
/**
 * `Fn` is the step's function once more, for the errors and services of the result. `Ret` gives the `error` of an inline `while`
 * or `recover` its type, and the compiler settles it there, with nothing known where `run` comes later or is an `Effect.fn`.
 */
type ReturnOf<Fn> = Fn extends (...args: any) => infer Ret ? Ret : never
// A call such as `Effect.fn(…)` gets its parameters from here while a type parameter is not inferred yet: bare, such a one
// would make them `any`.
export type Kept<T> = [T] extends [never] ? unknown : T
type OrNever<T> = [T] extends [never] ? never : T
type Sound<Ret> =
  Ret extends Generator<infer Out>
    ? [Extract<Out, Effect.Effect<any, any, any>>] extends [never]
      ? unknown
      : Problem<"to yield* Effects, write `run: Effect.fn(function* …)`">
    : unknown

// If a function returns `any`, its errors and services are unknown, so treat it as a promise.
export type ErrorOf<Ret, As = never> = 0 extends 1 & Ret
  ? Rejection<As>
  : Ret extends Effect.Effect<infer A, infer E, any>
    ? E | (A extends AsyncIterable<any> ? Rejection<As> : never)
    : Ret extends Stream.Stream<any, infer E, any>
      ? E
      : Ret extends PromiseLike<any> | AsyncIterable<any>
        ? Rejection<As>
        : never
/** With a `retry` or a `recover`, what a plain function or a generator throws counts as its rejection. */
type Thrown<Ret> = Ret extends
  | Effect.Effect<any, any, any>
  | Stream.Stream<any, any, any>
  | PromiseLike<any>
  | AsyncIterable<any>
  ? never
  : StepRejected
/** A promise may reject with anything; `NoAnswer` stays the step's typed error. */
type Rejection<As> = StepRejected | ([As] extends [never] ? never : NoAnswer)
export type ServicesOf<Ret> = 0 extends 1 & Ret
  ? never
  : Ret extends Effect.Effect<any, any, infer R>
    ? R
    : Ret extends Stream.Stream<any, any, infer R>
      ? R
      : never
export type TimedOut<Limit> = undefined extends Limit ? never : StepTimedOut

// An interface, because the compiler then inspects its members only if a step has a `retry`: 430 type instantiations
// less per step.
export interface RetryOptions<Ret, Limit, As = never>
  extends Omit<Effect.Retry.Options<ErrorOf<Ret, As> | Thrown<Ret> | TimedOut<Limit>>, "schedule"> {
  readonly schedule?: AnySchedule | undefined
  /** How long to wait before the next attempt. */
  readonly delay?: Duration.Input | undefined
  /** By how much each pause is longer than the one before it. Default: 1. */
  readonly factor?: number | undefined
  /** The longest pause. */
  readonly max?: Duration.Input | undefined
  /** Makes each pause up to a fifth shorter or longer, by chance, so that many retries do not come at once. */
  readonly jitter?: boolean | undefined
}
export type AnySchedule = Schedule.Schedule<any, any, any, any>

/**
 * `unknown` where the schedule takes the step's errors. In the constraint of `retry` they would be taken for what a schedule
 * that is made in place takes, before they are known.
 */
export type Takes<Rt, Err> =
  Rt extends Schedule.Schedule<any, infer In, any, any>
    ? [Err] extends [In]
      ? unknown
      : Schedule.Schedule<any, Err, any, any>
    : Rt extends { readonly schedule?: infer S }
      ? [S] extends [Schedule.Schedule<any, infer In, any, any> | undefined]
        ? [Err] extends [In]
          ? unknown
          : { readonly schedule: Schedule.Schedule<any, Err, any, any> }
        : unknown
      : unknown

/** The schedule and the Effects of a `retry`, even if a property is optional. */
type PoliciesOf<Rt> = unknown extends Rt
  ? never
  : Rt extends AnySchedule
    ? Rt
    : Rt extends { readonly schedule?: infer S; readonly while?: infer W; readonly until?: infer U }
      ? Named<S> | Decision<W> | Decision<U>
      : never
/** A missing property is inferred as `unknown`. */
type Named<S> = unknown extends S ? never : S
// It is `any` where the compiler reads the function before it knows what `run` fails with, as in `error.reason.includes("429")`.
type Decision<F> = F extends (...args: any) => infer D ? Known<D> : never
// `any` is what `Options` itself says, of which nothing is known.
type Known<T> = 0 extends 1 & T ? never : T
// Unnamed, because an editor would show the name instead of the errors.
export type RetryError<Rt> =
  PoliciesOf<Rt> extends infer P
    ? P extends Schedule.Schedule<any, any, infer E, any> | Effect.Effect<any, infer E, any>
      ? Known<E>
      : never
    : never
export type RetryServices<Rt> =
  PoliciesOf<Rt> extends infer P
    ? P extends Schedule.Schedule<any, any, any, infer R> | Effect.Effect<any, any, infer R>
      ? Known<R>
      : never
    : never

// `const` keeps the literal types of the values that `update` writes, but makes lists readonly: accept those for a
// mutable cell too.
type Written<S> = S extends Array<any> ? Readonly<S> : S

/** The result of `ctx.ask`: `await` it in an async function, or `yield*` it in `Effect.gen`. Nothing is asked before that. */
export interface Asking<Answer> extends Effect.Effect<Answer, NoAnswer> {
  readonly then: Promise<Answer>["then"]
}

/** The context of a step's function. You may destructure it: `({ query }, { send }) => …`. */
export interface StepContext<A, Out, As = never> {
  /**
   * Emits an event before the step is done. Throws `StepEnded` if the step has completed or failed; drops the event if
   * the step was interrupted or timed out.
   */
  readonly send: (event: Out) => void
  /**
   * Keeps the step's event, and returns the events of the list, in its order, when all have come; `undefined` until
   * then. Several events of one type are in the order received. Surplus events stay for the next round.
   */
  readonly collect: <const D extends Defs>(
    defs: [TagOf<D[number]>] extends [AcceptedTags<A>]
      ? D
      : D & Problem<`this step does not accept '${Exclude<TagOf<D[number]>, AcceptedTags<A>>}'`>
  ) => Each<D> | undefined
  /**
   * Emits the question at once, and waits for an answer: the first input event of these types that `matches` and that no
   * earlier question has taken, even if it came before the question. Fails with `NoAnswer` once the inputs are closed.
   *
   * Meanwhile, the step holds no worker.
   */
  readonly ask: <const W extends AnyDef | Defs>(
    question: Out,
    answer: [TagsOf<W>] extends [GivenTags<As>]
      ? W
      : W & Problem<`this step does not ask for '${Exclude<TagsOf<W>, GivenTags<As>>}': add it to \`asks\``>,
    matches?: ((answer: EventsOf<W>) => boolean) | undefined
  ) => Asking<EventsOf<W>>
  /** Reads a cell of this run's state. */
  readonly get: <S>(state: State<S>) => S
  /** Sets a cell of this run's state. */
  readonly set: <S>(state: State<S>, value: S) => void
  /** Changes a cell of this run's state, and returns its new value. */
  readonly update: <S, const R extends Written<S>>(state: State<S>, change: (value: S) => R) => S
  /** The event that opened the scope, if the step's intake has a `per`. */
  readonly per: [PerOf<A>] extends [never] ? undefined : EventOf<PerOf<A>>
  /** Aborted when the attempt is over, with a reason. Pass it to `fetch` and similar functions. */
  readonly signal: AbortSignal
  /** 1 at first, plus 1 for each retry. */
  readonly attempt: number
  readonly runId: string
  /** The step's name. */
  readonly step: string
}

/**
 * The result of `defineStep`. Its name is its key in `steps: { … }`.
 */
export interface Step<
  Accepted extends string,
  Emitted extends string,
  E,
  R,
  Per extends string = never,
  Asked extends string = never,
  Streamed extends string = never
> {
  /** The accepted events: one at a time, or together through an intake. */
  readonly accepts: ReadonlyArray<AnyDef> | AnyIntake
  readonly emits: ReadonlyArray<AnyDef>
  /** Those of them that go out at once, even if the attempt fails later. */
  readonly stream?: ReadonlyArray<AnyDef> | undefined
  /** The input events that it may wait for with `ctx.ask`. */
  readonly asks?: ReadonlyArray<AnyDef> | undefined
  /** How many invocations may run at once in one run of the workflow. */
  readonly workers: number | "unbounded"
  /** How many events may wait for the step before the generators and Streams that feed it pause. Default: 1,024. */
  readonly buffer?: number | undefined
  readonly timeout: Duration.Input | undefined
  /** How long an interrupted promise or async generator is waited for. */
  readonly grace?: Duration.Input | undefined
  readonly limit?: Limit | ReadonlyArray<Limit> | undefined
  readonly retry: RetryOptions<any, any> | AnySchedule | undefined
  readonly run: (input: any, ctx: StepContext<any, any, any>) => unknown
  readonly recover: ((error: any, input: any, ctx: StepContext<any, any, any>) => unknown) | undefined
  /** The workflow that it runs, if `asStep` made it. */
  readonly "~inner"?: object | undefined
  readonly "~types"?: {
    readonly accepted: Accepted
    readonly emitted: Emitted
    readonly error: E
    readonly services: R
    readonly per: Per
    readonly asked: Asked
    readonly streamed: Streamed
  }
}

/** Any step, as the runtime sees it. */
export type AnyStep = Step<any, any, any, any, any, any, any>

const defaultWorkers = 4

/** Whether a value is a step: what `defineStep` returns. A copy of it, `{ ...step }`, is plain data. */
export const isStep = (value: unknown): value is AnyStep => isMade("Step", value)

const prototype = /*#__PURE__*/ prototypeOf<AnyStep>("Step", ({ accepts, emits }) => {
  const accepted = isIntake(accepts) ? accepts : listed(tagsIn(accepts))
  return `Step(${accepted} → ${listed(tagsIn(emits)) || "nothing"})`
})

type Settings = Omit<AnyStep, "~types" | "~inner">

/** The properties of a step; any other is an unknown option. @internal */
export const stepOptions = Object.keys({
  accepts: 0,
  emits: 0,
  stream: 0,
  asks: 0,
  workers: 0,
  buffer: 0,
  timeout: 0,
  grace: 0,
  limit: 0,
  retry: 0,
  run: 0,
  recover: 0
} satisfies Record<keyof Settings, 0>)

/**
 * Defines a step: the events it accepts and emits, its number of workers, and its function.
 *
 * `run` may be a plain function, an `async` function, a generator, an async generator, or a function that returns an
 * Effect or a Stream. It emits what it returns: one event, several in order, or nothing. The types of its input,
 * events, errors and services are inferred.
 *
 * - `accepts`: an event, a list of events (the step runs for each event), or an intake (`join`, `collect`, `gather`,
 * `race`)
 * - `stream`: the emitted events that go out at once even with a `retry` or a `recover`: outputs that no step accepts
 * - `asks`: an input event, or a list of them, that the step may wait for with `ctx.ask`
 * - `workers`: a positive whole number (default: 4) or `"unbounded"`
 * - `buffer`: how many events may wait for the step (default: 1,024) before the generators and Streams that feed it
 * pause
 * - `timeout`: the time limit of an attempt, which is then interrupted and fails with `StepTimedOut`
 * - `grace`: how long the run waits for the step's promise or async generator once its attempt is interrupted (default: not
 * for a promise, and a second at most for an async generator); what the promise settles with then changes nothing
 * - `limit`: a limit from `defineLimit`, or a list of them: each attempt waits for its turn
 * - `retry`: how often to try again (`times`), with which pauses (`delay`, `factor`, `max`, `jitter`, or a `schedule`), and
 * `while` or `until` what; the events of a failed attempt are discarded
 * - `recover`: turns a failure into an event, and removes the step's error from the workflow's type
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { defineEvent, defineStep } from "stepgraph"
 *
 * const Query = defineEvent("Query", { query: Schema.String })
 * const Answer = defineEvent("Answer", { result: Schema.String })
 *
 * const withAsync = defineStep({
 *   accepts: Query, emits: Answer, workers: 8,
 *   run: async ({ query }, { signal }) => {
 *     signal.throwIfAborted()
 *     return Answer({ result: `about ${query}` })
 *   }
 * })
 *
 * const withEffect = defineStep({
 *   accepts: Query, emits: Answer, timeout: "2 seconds",
 *   run: ({ query }) => Effect.succeed(Answer({ result: `about ${query}` })),
 *   recover: (error, { query }) => Answer({ result: `${query} took too long` })
 * })
 * ```
 */
export function defineStep<
  const A extends Accepts,
  const Em extends AnyDef | Defs,
  Ret extends Returned<EventsOf<Em>> | Plain<EventsOf<Em>>,
  Rec extends Returned<EventsOf<Em>> = never,
  const As extends AnyDef | Defs = never,
  const St extends OneOf<Em> | ReadonlyArray<OneOf<Em>> = never,
  Timeout extends Duration.Input | undefined = undefined,
  Rt = unknown,
  Fn = unknown
>(definition: {
  readonly accepts: A
  readonly emits: Em
  readonly stream?: St | undefined
  readonly asks?: As | undefined
  readonly workers?: number | "unbounded" | undefined
  readonly buffer?: number | undefined
  readonly timeout?: Timeout | undefined
  readonly grace?: Duration.Input | undefined
  readonly limit?: Limit<InputOf<A>> | ReadonlyArray<Limit<InputOf<A>>> | undefined
  readonly retry?:
    | (Kept<Rt> &
        (RetryOptions<Ret, Timeout, As> | AnySchedule) &
        Takes<Rt, ErrorOf<Ret, As> | Thrown<Ret> | TimedOut<Timeout>>)
    | undefined
  readonly run: Kept<Fn> & ((input: InputOf<A>, ctx: StepContext<A, EventsOf<Em>, OrNever<As>>) => Sound<Ret> & Ret)
  readonly recover?:
    | ((
        error: ErrorOf<Ret, As> | Thrown<Ret> | TimedOut<Timeout> | RetryError<Rt>,
        input: InputOf<A>,
        ctx: StepContext<A, EventsOf<Em>, OrNever<As>>
      ) => Rec)
    | undefined
}): Step<
  AcceptedTags<A>,
  TagsOf<Em>,
  [Rec] extends [never]
    ?
        | ErrorOf<ReturnOf<Fn>, As>
        | TimedOut<Timeout>
        | (unknown extends Rt ? never : Thrown<ReturnOf<Fn>> | RetryError<Rt>)
    : ErrorOf<Rec, As>,
  ServicesOf<ReturnOf<Fn>> | ServicesOf<Rec> | RetryServices<Rt>,
  TagOf<PerOf<A>>,
  GivenTags<As>,
  GivenTags<St>
> {
  const { accepts, emits, stream, asks, retry, recover } = definition as unknown as AnyStep
  return made(prototype, {
    // Unknown options are kept, so that `workflow()` can refuse them with the step's name.
    ...(definition as object),
    accepts: typeof accepts === "function" ? [accepts] : accepts,
    emits: typeof emits === "function" ? [emits] : emits,
    ...(stream === undefined ? undefined : { stream: typeof stream === "function" ? [stream] : stream }),
    ...(asks === undefined ? undefined : { asks: typeof asks === "function" ? [asks] : asks }),
    workers: definition.workers ?? defaultWorkers,
    timeout: definition.timeout,
    retry,
    run: definition.run as any,
    recover
  })
}
