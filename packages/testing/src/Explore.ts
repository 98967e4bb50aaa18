/**
 * `explore`: runs a workflow in every possible order.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import {
  type AnyWorkflow,
  type EventDef,
  type InputsOf,
  type Problem,
  type RunServices,
  run,
  type StopOf
} from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { isAdopted } from "stepgraph/internal"
import { CannotReplay, type ExploreError, InvalidExploration, ScheduleFailure } from "./Errors.ts"
import type { Check, Invariants, Outcome } from "./Invariant.ts"
import { along } from "./internal/choices.ts"
import { type Coverage, Tally } from "./internal/coverage.ts"
import { Explorer, type Found, type Plan } from "./internal/explorer.ts"
import { withVirtualTimers } from "./internal/fake-timers.ts"
import type { FaultKind } from "./internal/faults.ts"
import { type Modes, modesOf } from "./internal/modes.ts"
import { problemsOf } from "./internal/options.ts"
import { written } from "./internal/replay.ts"
import { tell } from "./internal/report.ts"
import { sending, type Take, talking } from "./internal/sending.ts"
import { changed, fromToken, markOf, toToken } from "./internal/token.ts"
import { inOneLine, type Uncontrolled } from "./internal/uncontrolled.ts"

/** The fields of a workflow's start event. */
type InputOf<W> = W extends { readonly start: EventDef<any, any, infer In> } ? In : never

/** The options of an exploration. */
export interface ExploreOptions<W extends AnyWorkflow, Provided = never, E = never, R = never> {
  /** The run's input. Default: inputs generated from the start event's schema, if it has fields. */
  readonly input?: InputOf<W> | undefined
  /**
   * Number of generated inputs, if `input` is not set. Default: 20. Each gets at least 50 schedules, or its share of
   * `schedules`.
   */
  readonly inputs?: number | undefined
  /** Number of schedules to try, nearest to the usual order first. Default: 1,000. */
  readonly schedules?: number | undefined
  /** Number of further random schedules if not all were tried. Default: a quarter of `schedules`. */
  readonly random?: number | undefined
  /** Stops after so many seconds of real time, with what was found by then. Default: no limit. */
  readonly seconds?: number | undefined
  /** The seed of all randomness. Default: 0. */
  readonly seed?: number | undefined
  /** `any` (default): any sleep may end first. `ordered`: shorter sleeps end first, so timeouts keep their meaning. */
  readonly time?: Modes["time"] | undefined
  /** Which of several steps with waiting events begins next: `any` of them (default), or the first, `in turn`. */
  readonly lanes?: Modes["lanes"] | undefined
  /** Whether ready fibers go on in `any` order, or `in turn` (default). */
  readonly fibers?: Modes["fibers"] | undefined
  /**
   * `at once` (default): a step's immediate results come at once. `any`: they may come later, as if the step had been
   * slow. Use it for stubs of slow steps.
   */
  readonly results?: Modes["results"] | undefined
  /**
   * `real` (default): timers follow real time; the exploration waits for them and is incomplete. `virtual`:
   * `setTimeout`, `setInterval`, `setImmediate`, `Date`, `performance.now` and `AbortSignal.timeout` follow the
   * exploration's clock while a run uses them, so steps that wait with them are explored, too. Virtual timers do not
   * wait for real input and output: replace it with stubs.
   */
  readonly timers?: Modes["timers"] | undefined
  /** How often something may be held up in the middle to let others go first. Default: 0. */
  readonly preempt?: number | undefined
  /** Whether to interrupt the whole run, once, wherever it waits. Default: false. */
  readonly cancel?: boolean | undefined
  /**
   * Whether the process of the run may die, once, wherever it waits and before anything of a call is stored: its end, a question,
   * an event that it streams. Another process then goes on from the journal, as that of a durable run would, and must give the
   * same result. Default: false.
   *
   * With `process`, each process makes the workflow anew: what the function creates dies with the process. All else stays,
   * such as the services of `layer`.
   */
  readonly crash?: boolean | { readonly process: () => AnyWorkflow } | undefined
  /** Faults to inject into steps: at most `max` per run (default 1), in all steps or in those listed. Default: none. */
  readonly faults?:
    | {
        readonly max?: number | undefined
        readonly kinds: ReadonlyArray<FaultKind>
        readonly steps?: ReadonlyArray<Extract<keyof W["steps"], string>> | undefined
      }
    | undefined
  /** Runs only the schedule that a report names. */
  readonly replay?: string | undefined
  /** Built again for each schedule, so no schedule sees another's data. */
  readonly layer?: Layer.Layer<Provided, E, R> | undefined
  /** Called before each schedule, to set up what the steps share with the test. */
  readonly setup?: (() => void) | undefined
  /**
   * Events to send to the run from outside, in this order, each at any time after the one before. Then its inputs are closed.
   * Default: `run(flow, input)`, without inputs.
   */
  readonly sends?: ReadonlyArray<InputsOf<W>> | undefined
  /** A program to run instead of `run(flow, input)`, for example one that launches the workflow and talks to it. */
  readonly program?: ((flow: W, input: any) => Effect.Effect<any, any, any>) | undefined
  /** Switches the built-in invariants on and off. */
  readonly invariants?: Invariants<StopOf<W>> | undefined
  /** Your own invariants, by name. A name says what must hold. */
  readonly check?: Readonly<Record<string, Check<StopOf<W>>>> | undefined
  /**
   * How long to wait for the outside world (a timer, a file, a socket) before a run counts as hanging. Default: 1,000
   * ms.
   */
  readonly patience?: number | undefined
  /** Whether to show the steps' logs, for every schedule. Default: false. */
  readonly logs?: boolean | undefined
  /**
   * Called for each way in which a rule is broken: another rule, or another outcome. The exploration then goes on and succeeds.
   * Default: it fails with the first.
   */
  readonly onFailure?: ((failure: ScheduleFailure) => void) | undefined
  /** Called every second with the progress. Default: writes a line to the console every 5 seconds. */
  readonly progress?: ((schedules: number, deviations: number) => void) | undefined
  /** Whether to warn on the console if no rule was broken but not everything was under control. Default: true. */
  readonly warn?: boolean | undefined
}

/** The result of an exploration. */
export interface Exploration {
  /** Number of schedules run. */
  readonly schedules: number
  /** Whether these are all schedules: `false` if there are more than `schedules`, or if something was not under control. */
  readonly complete: boolean
  /** The different outcomes, each with its number of runs and a schedule that leads to it. */
  readonly outcomes: ReadonlyArray<{ readonly outcome: Outcome; readonly times: number; readonly schedule: string }>
  readonly coverage: Coverage
  /** Everything that was not under control. If this is not empty, the exploration is incomplete and warns. */
  readonly uncontrolled: ReadonlyArray<string>
  /** Number of inputs. */
  readonly inputs: number
  /** Number of schedules in which the process died. */
  readonly cuts: number
  /** The steps whose calls were then made again: they had begun, and their end was not stored. */
  readonly repeated: ReadonlyArray<string>
}

const perInput = 50

/**
 * Runs a workflow in every possible order, nearest to the usual one first, and checks each run.
 *
 * Succeeds with the findings. Fails with a `ScheduleFailure` whose message is the story of the first schedule that
 * breaks a rule and the line that replays it; with `CannotReplay` if the schedule to replay does not fit the workflow;
 * with `InvalidExploration` if the workflow, an option or the input is invalid.
 *
 * All time is virtual, so sleeps take none. Each schedule is a run from scratch: provide services that keep data in
 * memory as a `layer`, which is built again for each.
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
 * The same as a promise, for tests without Effect. It rejects with the `ScheduleFailure`. Aborting `signal` stops it.
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
 * // => workflow 'first' breaks 'sameResult' in one order of events: its outcome differs from the usual one
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

/** The call site of `explore`, which is more helpful in a failure than a line in this file. */
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
  const modes = modesOf(options)
  const { onFailure, sends } = options
  const makes = typeof options.crash === "object" ? options.crash.process : undefined
  const plan: Plan = {
    flow,
    graph,
    modes,
    invariants: options.invariants ?? {},
    checks: options.check ?? {},
    program: (input) => {
      options.setup?.()
      const fresh = layer === undefined ? undefined : Layer.fresh(layer as Layer.Layer<never>)
      if (modes.crash) {
        const process = (connect: (take: Take) => void) =>
          Effect.suspend(() => {
            const made = makes?.() ?? flow
            if (sends !== undefined) return talking(made, input, (take) => Effect.sync(() => connect(take)))
            return program(made, input) as Effect.Effect<unknown, unknown>
          })
        const world = fresh === undefined ? Effect.succeed(Context.empty()) : Layer.build(fresh)
        return { world, process, sends, madeAnew: makes !== undefined }
      }
      const running = (
        sends === undefined ? program(flow, input) : talking(flow, input, (take) => sending(sends, take))
      ) as Effect.Effect<unknown, unknown>
      return fresh === undefined ? running : Effect.provide(running, fresh)
    },
    context,
    signal,
    tally: new Tally(graph),
    progress: options.progress ?? ((schedules, depth) => report(flow, schedules, depth)),
    progressAfter: options.progress === undefined ? 5_000 : 1_000,
    millis: (options.seconds ?? Number.POSITIVE_INFINITY) * 1_000,
    found: onFailure === undefined ? undefined : (found, input) => onFailure(fail(found, input))
  }
  const explorer = new Explorer(plan)
  const mark = markOf(graph)
  // A schema of another library does not list its fields.
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
      inputs,
      cuts: explorer.cuts,
      repeated: Object.keys(flow.steps).filter((step) => explorer.repeated.has(step))
    }
  }

  if (options.replay !== undefined) {
    const found = await replay(options.replay, flow, { given, input: options.input }, explorer, schedules)
    if (found !== undefined) {
      if (plan.found === undefined) throw fail(found, options.input)
      plan.found(found, options.input)
    }
    return seen(false, 1)
  }
  if (given) {
    const found = await explorer.explore(options.input, schedules, randomly, seed)
    if (typeof found === "object") throw fail(found, options.input)
    return seen(found === "all", 1)
  }

  // The property says that no schedule of an input breaks a rule, so a smaller input must still have a failing
  // schedule.
  const inputs = options.inputs ?? 20
  const budget = Math.max(perInput, Math.floor(schedules / inputs))
  const arbitrary = inputsOf(flow)
  let failing: Found | undefined
  const property = (input: unknown) =>
    // Do not shrink a run that waited in vain: each smaller one would take as long again.
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
  if (runs === 0) throw cannotMake(flow, "no generated value passes its checks")
  return seen(false, runs)
}

const cannotMake = (flow: AnyWorkflow, why: string): InvalidExploration =>
  new InvalidExploration(flow, [`cannot generate an input from start event '${flow.start.tag}' (${why}): pass 'input'`])

/** Generates inputs that fit the start event. */
const inputsOf = (flow: AnyWorkflow): Arbitrary.Arbitrary<unknown> => {
  const { start } = flow
  const { fields } = start.schema as Partial<Schema.Struct<Record<string, Schema.Top>>>
  try {
    const made =
      fields === undefined
        ? described(start.schema)
        : Schema.Struct(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, described(field)])))
    const isOwn = fields !== undefined && !Object.values(fields).some(isAdopted)
    const inputs = Arbitrary.map(Arbitrary.schema(isOwn ? start.schema : made), ({ _tag, ...input }: any) => input)
    return isOwn ? inputs : Arbitrary.filter(inputs, (input) => fits(start, input))
  } catch (error) {
    throw cannotMake(flow, (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " "))
  }
}

/** The JSON Schema of another library's schema, the only form from which values can be generated. */
const described = (schema: Schema.Top): Schema.Top =>
  isAdopted(schema)
    ? SchemaRepresentation.fromJsonSchemaDocument(Schema.toJsonSchemaDocument(schema), { patterns: "apply" })
    : schema

/** JSON Schema may not express everything that a schema checks. */
const fits = (start: AnyWorkflow["start"], input: unknown): boolean => {
  try {
    start(input)
    return true
  } catch {
    return false
  }
}

/** Runs one schedule, and the usual one for comparison. */
const replay = async (
  token: string,
  flow: AnyWorkflow,
  { given, input }: { readonly given: boolean; readonly input: unknown },
  explorer: Explorer,
  schedules: number
): Promise<Found | undefined> => {
  const deviations = fromToken(token, graphOf(flow))
  if (typeof deviations === "string") throw new CannotReplay({ schedule: token, message: deviations })
  if (!given) {
    const message = `'${token}' cannot be replayed without its input: copy the whole line from the report, 'input' too`
    throw new CannotReplay({ schedule: token, message })
  }
  const usual = await explorer.ran(input, along([]), false)
  await explorer.learnEndings(input, schedules)
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
  return {
    broken,
    deviations: ran.choices.deviations(),
    executed,
    outcome,
    usual: usual.outcome,
    again: undefined,
    schedules: 0
  }
}

const report = (flow: AnyWorkflow, schedules: number, depth: number): void => {
  const tried = `${schedules.toLocaleString("en")} schedules`
  const differ = depth === 1 ? "1 choice differs" : `${depth} choices differ`
  console.info(`explore '${flow.name}': ${tried}, by now ${differ} from the usual order`)
}

const warn = (flow: AnyWorkflow, uncontrolled: Uncontrolled, { timers }: Modes): void =>
  console.warn(
    `explore '${flow.name}' found no failure, but did not try all orders: ${inOneLine(uncontrolled, timers)}`
  )

const failureOf = (
  { broken, deviations, executed, outcome, usual, again, schedules }: Found,
  { flow, modes }: Plan,
  { uncontrolled }: Explorer,
  mark: string,
  input: unknown,
  written: (schedule: string) => string
): ScheduleFailure => {
  const schedule = toToken(deviations, mark)
  const { trace, notes, early, endless, crash } = executed
  const replay = written(schedule)
  const message = tell({
    flow,
    broken,
    outcome,
    usual,
    again,
    trace,
    notes,
    early,
    endless,
    crash,
    input,
    schedules,
    replay,
    choices: deviations.length,
    uncontrolled,
    timers: modes.timers
  })
  const failure = new ScheduleFailure({ workflow: flow.name, ...broken, schedule, input, schedules, message })
  // The message contains everything, so keep it out of the inspected fields.
  const repeated = [...new Set(crash?.again.map(({ step }) => step))]
  for (const [name, value] of Object.entries({ outcome, usual, trace, repeated })) {
    Object.defineProperty(failure, name, { value, enumerable: false })
  }
  return failure
}
