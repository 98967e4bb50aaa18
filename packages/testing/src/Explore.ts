/**
 * `explore`: a workflow in every order that could happen.
 */
import * as Arbitrary from "effect/Arbitrary"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AnyWorkflow, type EventDef, type Problem, type RunServices, run, type StopOf } from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { CannotReplay, type ExploreError, InvalidExploration, ScheduleFailure } from "./Errors.ts"
import type { Check, Invariants, Outcome } from "./Invariant.ts"
import { along } from "./internal/choices.ts"
import { type Coverage, Tally } from "./internal/coverage.ts"
import { Explorer, type Found, type Plan } from "./internal/explorer.ts"
import type { FaultKind } from "./internal/faults.ts"
import { type Modes, modesOf } from "./internal/modes.ts"
import { problemsOf } from "./internal/options.ts"
import { written } from "./internal/replay.ts"
import { tell } from "./internal/report.ts"
import { withVirtualTimers } from "./internal/timers.ts"
import { changed, fromToken, markOf, toToken } from "./internal/token.ts"
import { inOneLine, type Uncontrolled } from "./internal/uncontrolled.ts"

/** The fields of a workflow's start event. */
type InputOf<W> = W extends { readonly start: EventDef<any, any, infer In> } ? In : never

/** What an exploration may be given. What is left out is as its comment says. */
export interface ExploreOptions<W extends AnyWorkflow, Provided = never, E = never, R = never> {
  /** The run's input. Left out, inputs are made from the start event's schema, where it has fields. */
  readonly input?: InputOf<W> | undefined
  /** How many inputs are made where none is given: 20. Each gets 50 schedules, or its part of `schedules`. */
  readonly inputs?: number | undefined
  /** How many schedules are tried, those nearest to the usual order first: 1,000. */
  readonly schedules?: number | undefined
  /** How many more are tried at random where that was not all: a quarter of `schedules`. */
  readonly random?: number | undefined
  /** What randomness begins with: 0. */
  readonly seed?: number | undefined
  /** `any` (or left out): whoever sleeps may wake first. `ordered`: deadlines are kept, so that timeouts mean something. */
  readonly time?: Modes["time"] | undefined
  /** Which of several steps that can begin is next: `any` (or left out) of them, or the first `in turn`. */
  readonly lanes?: Modes["lanes"] | undefined
  /** Whether fibers that are ready go on in `any` order, or `in turn` (or left out). */
  readonly fibers?: Modes["fibers"] | undefined
  /**
   * `any`: what a step gives at once may come later, as if it had been slow. For stubs of steps that are slow in
   * production. Left out, it comes at once.
   */
  readonly results?: Modes["results"] | undefined
  /**
   * `virtual`: `setTimeout`, `setInterval`, `setImmediate`, `Date`, `performance.now` and `AbortSignal.timeout` follow the
   * exploration's clock while a run uses them, so that steps that wait with them are explored, too; give stubs
   * for real input and output, as no virtual timer waits for it. `real`, or left out: they are the world's, which is waited for
   * and makes an exploration incomplete.
   */
  readonly timers?: Modes["timers"] | undefined
  /** How often something may be held up in the middle, so that others go first: 0. */
  readonly preempt?: number | undefined
  /** Whether the whole run may be interrupted, once, wherever it waits: false. */
  readonly cancel?: boolean | undefined
  /** What may go wrong in steps, at most `max` times in a run (1), in all steps or in some. Nothing when left out. */
  readonly faults?:
    | {
        readonly max?: number | undefined
        readonly kinds: ReadonlyArray<FaultKind>
        readonly steps?: ReadonlyArray<Extract<keyof W["steps"], string>> | undefined
      }
    | undefined
  /** Runs one schedule only: the one that a report names. */
  readonly replay?: string | undefined
  /** Built afresh for each schedule, so that no schedule sees what another has left behind. */
  readonly layer?: Layer.Layer<Provided, E, R> | undefined
  /** What is run in place of `run(flow, input)`: a program that launches the workflow and talks to it, for example. */
  readonly program?: ((flow: W, input: any) => Effect.Effect<any, any, any>) | undefined
  /** Which of the built-in invariants are looked at. */
  readonly invariants?: Invariants<StopOf<W>> | undefined
  /** Invariants of your own, by what they say must hold. */
  readonly check?: Readonly<Record<string, Check<StopOf<W>>>> | undefined
  /** How long the world outside (a timer, a file, a socket) is waited for before a run is said to hang: 1,000 ms. */
  readonly patience?: number | undefined
  /** Whether what steps log is shown, for each of the schedules: false. */
  readonly logs?: boolean | undefined
  /** Told every 5 seconds how far the exploration has come. Left out, a line is written to the console. */
  readonly progress?: ((schedules: number, deviations: number) => void) | undefined
  /** Whether a line is written to the console where nothing was found and not everything was under control: true. */
  readonly warn?: boolean | undefined
}

/** What an exploration has seen. */
export interface Exploration {
  /** How many schedules were run. */
  readonly schedules: number
  /** Whether these were all that there are. */
  readonly complete: boolean
  /** The different ways in which runs ended, with how often they did and a schedule that leads there. */
  readonly outcomes: ReadonlyArray<{ readonly outcome: Outcome; readonly times: number; readonly schedule: string }>
  readonly coverage: Coverage
  /** What went its own way; where there is something, an exploration is never complete, and warns of it. */
  readonly uncontrolled: ReadonlyArray<string>
  /** With how many inputs the workflow was run. */
  readonly inputs: number
}

const perInput = 50

/**
 * Runs a workflow in every order in which its parts could go on, those nearest to the usual one first, and looks at each run.
 *
 * Succeeds with what was seen. Fails with a `ScheduleFailure`, whose message is the story of the first schedule found that
 * breaks a rule, and the line that runs just that schedule again; with `CannotReplay` where the schedule to replay is none of
 * this workflow's; with `InvalidExploration` where the workflow, an option or the input does not fit.
 *
 * All time is virtual: sleeps take none. Each schedule is a run from scratch; give what keeps something in memory as a
 * `layer`, which is built afresh for each.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { collect, defineEvent, defineStep, workflow } from "stepgraph"
 * import { explore } from "@stepgraph/testing"
 *
 * const Start = defineEvent("Start")
 * const Query = defineEvent("Query", { n: Schema.Number })
 * const Answer = defineEvent("Answer", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { sum: Schema.Number })
 * const flow = workflow({
 *   name: "sum", start: Start, stop: Stop,
 *   steps: {
 *     ask: defineStep({ accepts: Start, emits: Query, run: () => [1, 2, 3].map((n) => Query({ n })) }),
 *     search: defineStep({ accepts: Query, emits: Answer, run: ({ n }) => Effect.as(Effect.sleep(n), Answer({ n })) }),
 *     sum: defineStep({
 *       accepts: collect(Answer, 3), emits: Stop,
 *       run: (answers) => Stop({ sum: answers.reduce((sum, { n }) => sum + n, 0) })
 *     })
 *   }
 * })
 *
 * const { complete, outcomes, schedules } = await Effect.runPromise(explore(flow))
 * console.log(schedules, complete, outcomes.length) // => 6 true 1
 * ```
 */
export function explore<W extends AnyWorkflow, Provided = never, E = never, R = never>(
  flow: W,
  options: ExploreOptions<W, Provided, E, R> = {}
): Effect.Effect<Exploration, ExploreError, Exclude<RunServices<W>, Provided> | R> {
  return exploring(flow, options as ExploreOptions<AnyWorkflow>, callSite(), "explore") as any
}

/**
 * The same as a promise, for tests without Effect. It rejects with the `ScheduleFailure`; aborting `signal` stops it.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { explorePromise } from "@stepgraph/testing"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop", { by: Schema.String })
 * const first = (by: string) => defineStep({ accepts: Start, emits: Stop, run: async () => Stop({ by }) })
 * const flow = workflow({ name: "first", start: Start, stop: Stop, steps: { ada: first("ada"), bob: first("bob") } })
 *
 * const failure = await explorePromise(flow).catch((error) => error)
 * console.log(failure.message.split("\n")[0])
 * // => workflow 'first' breaks 'sameResult' in one order of events: it ends in another way than in the usual order
 * console.log(failure.outcome.text) // => Stop {"by":"bob"}
 * ```
 */
export async function explorePromise<W extends AnyWorkflow, Provided = never, E = never>(
  flow: [Exclude<RunServices<W>, Provided>] extends [never]
    ? W
    : W & Problem<"this workflow needs services: give them as a layer">,
  options: ExploreOptions<W, Provided, E> & { readonly signal?: AbortSignal | undefined } = {}
): Promise<Exploration> {
  const { signal } = options
  const running = exploring(flow as AnyWorkflow, options as ExploreOptions<AnyWorkflow>, callSite(), "explorePromise")
  return Effect.runPromise(running, signal === undefined ? undefined : { signal })
}

/** Where `explore` was called, which says more of a failure than where in here it was made. */
const callSite = (): ReadonlyArray<string> => new Error().stack?.split("\n").slice(3) ?? []

const exploring = (
  flow: AnyWorkflow,
  options: ExploreOptions<AnyWorkflow>,
  site: ReadonlyArray<string>,
  calledAs: string
): Effect.Effect<Exploration, ExploreError> =>
  Effect.flatMap(Effect.context<never>(), (context) =>
    Effect.tryPromise({
      try: (signal) => {
        const problems = problemsOf(flow, options)
        if (problems.length > 0) throw new InvalidExploration(flow, problems)
        const explore = () => start(flow, options, context, signal, calledAs)
        return options.timers === "virtual" ? withVirtualTimers(explore) : explore()
      },
      catch: (error) => {
        if (!isExpected(error)) return new Died(error)
        error.stack = [`${error.name}: ${error.message}`, ...site].join("\n")
        return error
      }
    })
  ).pipe(Effect.catch((error) => (error instanceof Died ? Effect.die(error.defect) : Effect.fail(error))))

const isExpected = (error: unknown): error is ExploreError =>
  error instanceof ScheduleFailure || error instanceof CannotReplay || error instanceof InvalidExploration

class Died {
  readonly defect: unknown
  constructor(defect: unknown) {
    this.defect = defect
  }
}

const start = async (
  flow: AnyWorkflow,
  options: ExploreOptions<AnyWorkflow>,
  context: Context.Context<never>,
  signal: AbortSignal,
  calledAs: string
): Promise<Exploration> => {
  const { layer, program = run as NonNullable<typeof options.program>, schedules = 1_000, seed = 0 } = options
  const graph = graphOf(flow)
  const randomly = options.random ?? Math.ceil(schedules / 4)
  const plan: Plan = {
    flow,
    graph,
    modes: modesOf(options),
    invariants: options.invariants ?? {},
    checks: options.check ?? {},
    program: (input) => {
      const running = program(flow, input) as Effect.Effect<unknown, unknown>
      return layer === undefined ? running : Effect.provide(running, Layer.fresh(layer as Layer.Layer<never>))
    },
    context,
    signal,
    tally: new Tally(graph),
    progress: options.progress ?? ((schedules, depth) => report(flow, schedules, depth))
  }
  const explorer = new Explorer(plan)
  const mark = markOf(graph)
  // A schema of another library does not say which fields it has.
  const takes =
    flow.start.schema.fields === undefined ||
    graph.events.some(({ tag, fields }) => tag === graph.start && fields.length > 0)
  const given = options.input !== undefined || !takes
  const fail = (found: Found, input: unknown) =>
    failureOf(found, plan, explorer, mark, input, (schedule) =>
      written(calledAs, { ...options }, schedule, takes ? input : undefined)
    )
  const seen = (complete: boolean, inputs: number): Exploration => {
    if (signal.aborted) throw signal.reason
    if (options.warn !== false && explorer.uncontrolled.size > 0) warn(flow, explorer.uncontrolled, plan.modes)
    return {
      schedules: explorer.schedules,
      complete: complete && explorer.uncontrolled.size === 0,
      outcomes: [...explorer.endings.values()].map(({ outcome, times, deviations }) => {
        return { outcome, times, schedule: toToken(deviations, mark) }
      }),
      coverage: plan.tally.coverage,
      uncontrolled: [...explorer.uncontrolled.keys()],
      inputs
    }
  }

  if (options.replay !== undefined) {
    const found = await replay(options.replay, flow, { given, input: options.input }, explorer)
    if (found !== undefined) throw fail(found, options.input)
    return seen(false, 1)
  }
  if (given) {
    const found = await explorer.explore(options.input, schedules, randomly, seed)
    if (typeof found === "object") throw fail(found, options.input)
    return seen(found === "all", 1)
  }

  // The property is that no schedule of an input breaks a rule: so that a smaller input is one that still has a bad one.
  const inputs = options.inputs ?? 20
  const budget = Math.max(perInput, Math.floor(schedules / inputs))
  const arbitrary = inputsOf(flow)
  let failing: Found | undefined
  const property = (input: unknown) =>
    // One that was waited for in vain is not made smaller: each would take as long again.
    failing?.executed.waited === true
      ? Effect.succeed(true)
      : Effect.map(
          Effect.promise(() => explorer.explore(input, budget, 0, seed)),
          (found) => {
            if (typeof found !== "object") return true
            failing = found
            return false
          }
        )
  const checked = await Effect.runPromise(Arbitrary.checkEffect(arbitrary, property, { runs: inputs, seed }), {
    signal
  })
  if (checked._tag === "Falsified") {
    const input = checked.shrunkInput
    const { schedules } = explorer
    const again = failing?.executed.waited === true ? failing : await explorer.explore(input, budget, 0, seed)
    throw fail({ ...(typeof again === "object" ? again : failing!), schedules }, input)
  }
  const runs = checked._tag === "Passed" || checked._tag === "Exhausted" ? checked.runs : 0
  if (runs === 0) throw cannotMake(flow, "nothing that was tried fits its checks")
  return seen(false, runs)
}

const cannotMake = (flow: AnyWorkflow, why: string): InvalidExploration =>
  new InvalidExploration(flow, [`no input can be made from start event '${flow.start.tag}' (${why}): give 'input'`])

/** Inputs that fit the start event. */
const inputsOf = (flow: AnyWorkflow): Arbitrary.Arbitrary<unknown> => {
  try {
    return Arbitrary.map(Arbitrary.schema(flow.start.schema), ({ _tag, ...input }: any) => input)
  } catch (error) {
    throw cannotMake(flow, (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " "))
  }
}

/** Runs one schedule, and the usual one to hold it against. */
const replay = async (
  token: string,
  flow: AnyWorkflow,
  { given, input }: { readonly given: boolean; readonly input: unknown },
  explorer: Explorer
): Promise<Found | undefined> => {
  const deviations = fromToken(token, graphOf(flow))
  if (typeof deviations === "string") throw new CannotReplay({ schedule: token, message: deviations })
  if (!given) {
    const message = `'${token}' cannot be replayed without its input: copy the whole line from the report, 'input' too`
    throw new CannotReplay({ schedule: token, message })
  }
  const usual = await explorer.ran(input, along([]), false)
  const ran = await explorer.ran(input, along(deviations), true)
  const missed = ran.choices.missed(deviations)
  if (missed !== undefined) {
    const message = changed(token, missed, ran.choices.counts[missed.at])
    throw new CannotReplay({ schedule: token, message })
  }
  explorer.seen(ran, deviations)
  const broken = explorer.broken(ran, usual.outcome)
  if (broken === undefined) return undefined
  const { executed, outcome } = ran
  return { broken, deviations: ran.choices.deviations(), executed, outcome, usual: usual.outcome, schedules: 0 }
}

const report = (flow: AnyWorkflow, schedules: number, depth: number): void => {
  const tried = `${schedules.toLocaleString("en")} schedules`
  const differ = depth === 1 ? "1 choice differs" : `${depth} choices differ`
  console.info(`explore '${flow.name}': ${tried}, by now ${differ} from the usual order`)
}

const warn = (flow: AnyWorkflow, uncontrolled: Uncontrolled, { timers }: Modes): void =>
  console.warn(`explore '${flow.name}' found nothing, but has not tried all orders: ${inOneLine(uncontrolled, timers)}`)

const failureOf = (
  { broken, deviations, executed, outcome, usual, schedules }: Found,
  { flow, modes }: Plan,
  { uncontrolled }: Explorer,
  mark: string,
  input: unknown,
  written: (schedule: string) => string
): ScheduleFailure => {
  const schedule = toToken(deviations, mark)
  const { trace, told, early, endless } = executed
  const replay = written(schedule)
  const message = tell({
    flow,
    broken,
    outcome,
    usual,
    trace,
    told,
    early,
    endless,
    input,
    schedules,
    replay,
    choices: deviations.length,
    uncontrolled,
    timers: modes.timers
  })
  const failure = new ScheduleFailure({ workflow: flow.name, ...broken, schedule, input, schedules, message })
  // Not shown beside the message, which says it all.
  for (const [name, value] of Object.entries({ outcome, usual, trace })) {
    Object.defineProperty(failure, name, { value, enumerable: false })
  }
  return failure
}
