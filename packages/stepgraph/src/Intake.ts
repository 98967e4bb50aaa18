/**
 * Intakes describe the events that a step waits for. They are data only; `internal/runtime/intake/collector.ts`
 * implements them.
 */
import type * as Duration from "effect/Duration"
import type { AnyDef, AnyEvent, Defs, EventOf, EventsOf, TagOf, TagsOf } from "./Event.ts"
import { unknownOptions } from "./Options.ts"
import { listed, made, prototypeOf, tagsIn } from "./TypeId.ts"

/** The result of `join`, `collect`, `gather` and `race`. Pass it to a step as `accepts`. */
export interface Intake<Tags extends string, Input, Per = never> {
  readonly kind: "join" | "collect" | "gather" | "race"
  /** The awaited events; for a `join` in the order in which the step gets them. */
  readonly events: ReadonlyArray<AnyDef>
  /** The number of events that completes a `collect` or a `race`. */
  readonly count: number | undefined
  /** Whether the step gets one event instead of a list (a `race` without `take`). */
  readonly single: boolean
  readonly per: AnyDef | undefined
  readonly by: ((event: any) => unknown) | undefined
  readonly within: Duration.Input | undefined
  /** Problems with option names, reported by `workflow()`. */
  readonly "~problems"?: ReadonlyArray<string>
  readonly "~types"?: { readonly tags: Tags; readonly input: Input; readonly per: Per }
}

/** Any intake, as the runtime sees it. */
export type AnyIntake = Intake<any, any, any>

/** One intake for each event of a type, or for each key. */
export interface IntakeOptions<Per extends AnyDef, In> {
  /** One intake for each event of this type. It takes only events that descend from that event. */
  readonly per?: Per | undefined
  /** One intake for each key. Keys are compared as in a `Map`. */
  readonly by?: ((event: In) => unknown) | undefined
}

/** An intake's deadline. */
export interface Within {
  /** After this time, counted from the first event, the step runs with the events that have come. */
  readonly within?: Duration.Input | undefined
}

type Each<D extends Defs> = { readonly [K in keyof D]: EventOf<D[K]> }
type EachOrNone<D extends Defs> = { readonly [K in keyof D]: EventOf<D[K]> | undefined }

export type { Each }

const optionsOf: Readonly<Record<AnyIntake["kind"], ReadonlyArray<string>>> = {
  join: ["per", "by", "within"],
  collect: ["per", "by", "within"],
  gather: ["per"],
  race: ["take", "per"]
}
/** For a gather or a race, a type error explains why there are none. */
const refusedElsewhere = ["by", "within"]

function intakeInWords({ kind, events, count }: AnyIntake): string {
  return `${kind}(${listed(tagsIn(events))}${kind === "collect" ? `, ${count}` : ""})`
}

const make = (
  kind: AnyIntake["kind"],
  events: AnyDef | Defs,
  options: (IntakeOptions<AnyDef, any> & Within) | undefined,
  count?: number,
  single = false
): AnyIntake => {
  const problems = unknownOptions(options, optionsOf[kind], refusedElsewhere)
  return made(prototype, {
    kind,
    events: Array.isArray(events) ? [...events] : [events as AnyDef],
    count,
    single,
    per: options?.per,
    by: options?.by,
    within: options?.within,
    ...(problems.length > 0 ? { "~problems": problems } : undefined)
  })
}

const prototype = /*#__PURE__*/ prototypeOf("Intake", intakeInWords)

const kinds: ReadonlySet<unknown> = new Set(["join", "collect", "gather", "race"])

/** Whether a value is an intake: what `join`, `collect`, `gather` or `race` returns, or a copy of it. */
export const isIntake = (accepts: unknown): accepts is AnyIntake =>
  typeof accepts === "object" && accepts !== null && !Array.isArray(accepts) && kinds.has((accepts as any).kind)

/**
 * Waits for one event of each type. The step runs with a tuple in the order of the list, whatever order they came in. A
 * type may occur more than once. Surplus events stay for the next round.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, join, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Left = defineEvent("Left", { n: Schema.Number })
 * const Right = defineEvent("Right", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { sum: Schema.Number })
 *
 * const flow = workflow({
 *   name: "sum", start: Start, stop: Stop,
 *   steps: {
 *     left: defineStep({ accepts: Start, emits: Left, run: () => Left({ n: 1 }) }),
 *     right: defineStep({ accepts: Start, emits: Right, run: async () => Right({ n: 2 }) }),
 *     add: defineStep({
 *       accepts: join([Right, Left]), emits: Stop,
 *       run: ([right, left]) => Stop({ sum: right.n + left.n })
 *     })
 *   }
 * })
 *
 * console.log((await runPromise(flow)).sum) // => 3
 * ```
 */
export function join<const D extends Defs, Per extends AnyDef = never>(
  defs: D,
  options?: (IntakeOptions<Per, EventOf<D[number]>> & { readonly within?: undefined }) | undefined
): Intake<TagOf<D[number]>, Each<D>, Per>
export function join<const D extends Defs, Per extends AnyDef = never>(
  defs: D,
  options: IntakeOptions<Per, EventOf<D[number]>> & Within
): Intake<TagOf<D[number]>, EachOrNone<D>, Per>
export function join(defs: Defs, options?: IntakeOptions<AnyDef, AnyEvent> & Within): AnyIntake {
  return make("join", defs, options)
}

/**
 * Waits for `count` events of one type or several. The step runs with them in the order received. Surplus events stay
 * for the next round.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { collect, defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Vote = defineEvent("Vote", { yes: Schema.Boolean })
 * const Stop = defineEvent("Stop", { passed: Schema.Boolean })
 *
 * const flow = workflow({
 *   name: "vote", start: Start, stop: Stop,
 *   steps: {
 *     ask: defineStep({ accepts: Start, emits: Vote, run: () => [true, false, true].map((yes) => Vote({ yes })) }),
 *     count: defineStep({
 *       accepts: collect(Vote, 3), emits: Stop,
 *       run: (votes) => Stop({ passed: votes.filter((vote) => vote.yes).length >= 2 })
 *     })
 *   }
 * })
 *
 * console.log((await runPromise(flow)).passed) // => true
 * ```
 */
export function collect<const D extends AnyDef | Defs, Per extends AnyDef = never>(
  def: D,
  count: number,
  options?: (IntakeOptions<Per, EventsOf<D>> & Within) | undefined
): Intake<TagsOf<D>, ReadonlyArray<EventsOf<D>>, Per> {
  return make("collect", def, options as any, count)
}

/**
 * Waits until no more events can come. The step runs once each time everything upstream has gone quiet, with all events
 * in the order of emission, independent of timing. It gets `[]` if the fan-out was empty or no branch led to an event.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, gather, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { pages: Schema.Array(Schema.String) })
 * const Page = defineEvent("Page", { url: Schema.String })
 * const Title = defineEvent("Title", { title: Schema.String })
 * const Stop = defineEvent("Stop", { titles: Schema.Array(Schema.String) })
 *
 * const flow = workflow({
 *   name: "titles", start: Start, stop: Stop,
 *   steps: {
 *     list: defineStep({ accepts: Start, emits: Page, run: ({ pages }) => pages.map((url) => Page({ url })) }),
 *     read: defineStep({ accepts: Page, emits: Title, run: async ({ url }) => Title({ title: url.toUpperCase() }) }),
 *     all: defineStep({
 *       accepts: gather(Title), emits: Stop,
 *       run: (titles) => Stop({ titles: titles.map(({ title }) => title) })
 *     })
 *   }
 * })
 *
 * console.log((await runPromise(flow, { pages: ["a", "b"] })).titles) // => [ 'A', 'B' ]
 * console.log((await runPromise(flow, { pages: [] })).titles) // => []
 * ```
 */
export function gather<const D extends AnyDef | Defs, Per extends AnyDef = never>(
  def: D,
  options?: { readonly per?: Per | undefined } | undefined
): Intake<TagsOf<D>, ReadonlyArray<EventsOf<D>>, Per> {
  return make("gather", def, options)
}

/**
 * Waits for the first event, or the first `take` events. The step runs once in its scope. Everything else in flight
 * upstream in that scope is interrupted, and later events are dropped.
 *
 * With `take`, the step runs with fewer events, or none, when everything upstream has gone quiet. Without it, the step
 * does not run if nothing comes.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { defineEvent, defineStep, race, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Ask = defineEvent("Ask", { mirror: Schema.Number })
 * const Answer = defineEvent("Answer", { mirror: Schema.Number })
 * const Stop = defineEvent("Stop", { mirror: Schema.Number })
 *
 * const flow = workflow({
 *   name: "mirrors", start: Start, stop: Stop,
 *   steps: {
 *     fan: defineStep({ accepts: Start, emits: Ask, run: () => [30, 10, 20].map((mirror) => Ask({ mirror })) }),
 *     ask: defineStep({
 *       accepts: Ask, emits: Answer,
 *       run: ({ mirror }) => Effect.as(Effect.sleep(mirror), Answer({ mirror }))
 *     }),
 *     first: defineStep({ accepts: race(Answer), emits: Stop, run: ({ mirror }) => Stop({ mirror }) })
 *   }
 * })
 *
 * console.log((await runPromise(flow)).mirror) // => 10
 * ```
 */
export function race<const D extends AnyDef | Defs, Per extends AnyDef = never>(
  def: D,
  options?: { readonly take?: undefined; readonly per?: Per | undefined } | undefined
): Intake<TagsOf<D>, EventsOf<D>, Per>
export function race<const D extends AnyDef | Defs, Per extends AnyDef = never>(
  def: D,
  options: { readonly take: number; readonly per?: Per | undefined }
): Intake<TagsOf<D>, ReadonlyArray<EventsOf<D>>, Per>
export function race<const D extends AnyDef | Defs, Per extends AnyDef = never>(
  def: D,
  options: { readonly take?: number | undefined; readonly per?: Per | undefined }
): Intake<TagsOf<D>, ReadonlyArray<EventsOf<D>> | EventsOf<D>, Per>
export function race(def: AnyDef | Defs, options?: { take?: number | undefined; per?: AnyDef | undefined }): AnyIntake {
  const single = options?.take === undefined
  return make("race", def, options, single ? 1 : options.take, single)
}
