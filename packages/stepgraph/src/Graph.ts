/**
 * The graph of a workflow as plain data: its steps, their intakes, and the paths of its events. For tools that draw,
 * test or serve workflows.
 *
 * Works with workflows of any copy of stepgraph. JSON preserves a graph.
 *
 * @module graph
 */
// Longer than other modules: a third is documentation of the public data.
import * as Duration from "effect/Duration"
import { intakeText } from "./internal/graph/graph.ts"
import { type Limit, limitsOf } from "./Limit.ts"
import { kindOf } from "./Options.ts"
import type { AnyWorkflow } from "./Workflow.ts"

export type { AnyWorkflow }

/** The intake of a step that waits for several events. */
export interface GraphIntake {
  readonly kind: "join" | "collect" | "gather" | "race"
  /** As written in the code: `gather(Page, { per: Doc })`. */
  readonly text: string
  /** The number of events that complete a `collect` or a `race`; `null` for the others. */
  readonly count: number | null
  /** Whether the step gets one event instead of a list: a `race` without `take`. */
  readonly single: boolean
  /** The event type that has one such intake per event; `null` if there is one in the whole run. */
  readonly per: string | null
  /** Whether there is one such intake for each key. */
  readonly by: boolean
  /** The deadline, as text. */
  readonly within: string | null
}

export interface GraphStep {
  readonly name: string
  /** The accepted events, as declared: a `join` may name one more than once. */
  readonly accepts: ReadonlyArray<string>
  /** `null` for a step that takes one event at a time. */
  readonly intake: GraphIntake | null
  /** The events it emits, each once. */
  readonly emits: ReadonlyArray<string>
  /** Those of them that go out at once, even if the attempt fails later. */
  readonly streams: ReadonlyArray<string>
  /** The input events that it may ask for, each once. */
  readonly asks: ReadonlyArray<string>
  readonly workers: number | "unbounded"
  /** As text. */
  readonly timeout: string | null
  readonly retries: boolean
  readonly recovers: boolean
  /** The names of its limits, in the order in which a call takes them. */
  readonly limits: ReadonlyArray<string>
  /** The workflow that `asStep` made the step of. */
  readonly inner: Graph | null
}

export interface GraphEvent {
  readonly tag: string
  readonly fields: ReadonlyArray<string>
  /** Step names, in order of declaration. */
  readonly emittedBy: ReadonlyArray<string>
  readonly acceptedBy: ReadonlyArray<string>
  /** The steps that may wait for it with `ctx.ask`. */
  readonly askedBy: ReadonlyArray<string>
}

/** A workflow as returned by {@link graphOf}. Events are named by their tags. */
export interface Graph {
  readonly _tag: "Graph"
  readonly name: string
  readonly start: string
  readonly stops: ReadonlyArray<string>
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  /** In order of declaration. */
  readonly steps: ReadonlyArray<GraphStep>
  readonly events: ReadonlyArray<GraphEvent>
}

/** An event on its way between steps; `from` is `null` if it comes from outside, `to` if it leaves the workflow. */
export interface Edge {
  readonly from: string | null
  readonly event: string
  readonly to: string | null
}

/** The scope of one event type: the steps that belong to each such event, up to the intakes that are kept `per` it. */
export interface GraphScope {
  readonly event: string
  readonly steps: ReadonlyArray<string>
}

interface Def {
  readonly tag: string
  readonly schema?: { readonly fields?: object }
}

/** A workflow of any copy of stepgraph, reduced to the plain data that all copies have. */
export interface WorkflowData {
  readonly name: string
  readonly start: { readonly tag: string }
  readonly stop: { readonly tag: string } | ReadonlyArray<{ readonly tag: string }>
  readonly inputs: ReadonlyArray<{ readonly tag: string }>
  readonly outputs: ReadonlyArray<{ readonly tag: string }>
  readonly steps: Readonly<Record<string, object>>
}

/** The properties read here. */
interface Intake extends Omit<GraphIntake, "text" | "count" | "per" | "by" | "within"> {
  readonly events: ReadonlyArray<Def>
  readonly count?: number
  readonly per?: Def
  readonly by?: unknown
  readonly within?: Duration.Input
}
interface Step {
  readonly accepts: ReadonlyArray<Def> | Intake
  readonly emits: ReadonlyArray<Def>
  readonly stream?: ReadonlyArray<Def>
  readonly asks?: ReadonlyArray<Def>
  readonly workers: number | "unbounded"
  readonly timeout?: Duration.Input
  readonly limit?: Limit | ReadonlyArray<Limit>
  readonly retry?: unknown
  readonly recover?: unknown
  readonly "~inner"?: unknown
}
const isList = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value)
const isDef = (value: unknown): boolean => typeof (value as Partial<Def> | null | undefined)?.tag === "string"

/** Whether a value is a workflow, of any copy of stepgraph. Its steps may still be invalid; `run` checks them. */
export const isWorkflow = (value: unknown): value is AnyWorkflow => {
  // The value may be anything, such as a proxy that throws.
  try {
    const { name, start, stop, inputs, outputs, steps } = (value ?? {}) as Record<string, unknown>
    return (
      typeof name === "string" &&
      isDef(start) &&
      (isDef(stop) || isList(stop)) &&
      isList(inputs) &&
      isList(outputs) &&
      typeof steps === "object" &&
      steps !== null
    )
  } catch {
    return false
  }
}

/** Whether a value is a graph from {@link graphOf}, even after a round trip through JSON. */
export const isGraph = (value: unknown): value is Graph => {
  try {
    return typeof value === "object" && (value as Partial<Graph> | null)?._tag === "Graph"
  } catch {
    return false
  }
}

/**
 * Describes a workflow as plain data, without its functions and schemas. A graph is returned as it is.
 *
 * Throws a `TypeError` if the value is not a workflow.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, gather, workflow } from "stepgraph"
 * import { edgesOf, graphOf } from "stepgraph/graph"
 *
 * const Start = defineEvent("Start", { urls: Schema.Array(Schema.String) })
 * const Page = defineEvent("Page", { url: Schema.String })
 * const Stop = defineEvent("Stop", { pages: Schema.Number })
 * const flow = workflow({
 *   name: "read", start: Start, stop: Stop,
 *   steps: {
 *     list: defineStep({ accepts: Start, emits: Page, run: ({ urls }) => urls.map((url) => Page({ url })) }),
 *     count: defineStep({ accepts: gather(Page), emits: Stop, run: (pages) => Stop({ pages: pages.length }) })
 *   }
 * })
 *
 * const graph = graphOf(flow)
 * console.log(graph.steps.map(({ name, intake }) => `${name}: ${intake?.text ?? "each event"}`))
 * // => [ 'list: each event', 'count: gather(Page)' ]
 * console.log(edgesOf(graph).map(({ from, event, to }) => `${from} -${event}-> ${to}`))
 * // => [ 'null -Start-> list', 'list -Page-> count', 'count -Stop-> null' ]
 * ```
 */
export const graphOf = (flow: WorkflowData | Graph): Graph => {
  if (isGraph(flow)) return flow
  if (!isWorkflow(flow)) {
    throw new TypeError(`graphOf takes a workflow, not ${kindOf(flow)}: pass the result of workflow()`)
  }
  const { name, start, stop, inputs, outputs, steps } = flow as WorkflowData
  const stops = isList(stop) ? (stop as ReadonlyArray<Def>) : [stop as Def]
  const events = new Map<
    string,
    { tag: string; fields: Array<string>; emittedBy: Array<string>; acceptedBy: Array<string>; askedBy: Array<string> }
  >()
  const eventOf = (def: Def) => {
    const known = events.get(def.tag)
    if (known !== undefined) return known
    const fields = Object.keys(def.schema?.fields ?? {}).filter((field) => field !== "_tag")
    const event = { tag: def.tag, fields, emittedBy: [], acceptedBy: [], askedBy: [] }
    events.set(def.tag, event)
    return event
  }
  for (const def of [start, ...inputs]) eventOf(def)
  const nodes = Object.entries(steps).map(([name, step]): GraphStep => {
    const {
      accepts,
      emits,
      stream = [],
      asks = [],
      workers,
      timeout,
      limit,
      retry,
      recover,
      "~inner": inner
    } = step as Step
    const intake = isList(accepts) ? undefined : (accepts as Intake)
    const accepted = intake?.events ?? (accepts as ReadonlyArray<Def>)
    for (const event of new Set(accepted.map(eventOf))) event.acceptedBy.push(name)
    const asked = new Set(asks.map(eventOf))
    for (const event of asked) event.askedBy.push(name)
    const emitted = new Set(emits.map(eventOf))
    for (const event of emitted) event.emittedBy.push(name)
    return {
      name,
      accepts: tagsOf(accepted),
      intake: intake === undefined ? null : intakeOf(intake),
      emits: tagsOf([...emitted]),
      streams: tagsOf(stream),
      asks: tagsOf([...asked]),
      workers,
      timeout: durationOf(timeout),
      retries: retry !== undefined,
      recovers: recover !== undefined,
      limits: limitsOf(limit).map(({ name }) => name),
      inner: isWorkflow(inner) ? graphOf(inner) : null
    }
  })
  for (const def of [...stops, ...outputs]) eventOf(def)
  return {
    _tag: "Graph",
    name,
    start: start.tag,
    stops: tagsOf(stops),
    inputs: tagsOf(inputs),
    outputs: tagsOf(outputs),
    steps: nodes,
    events: [...events.values()]
  }
}

const tagsOf = (defs: ReadonlyArray<Def>): ReadonlyArray<string> => defs.map(({ tag }) => tag)

const durationOf = (duration: Duration.Input | undefined): string | null =>
  duration === undefined ? null : Duration.format(Duration.fromInputUnsafe(duration))

const intakeOf = (intake: Intake): GraphIntake => ({
  kind: intake.kind,
  text: intakeText(intake as Parameters<typeof intakeText>[0]),
  count: intake.count ?? null,
  single: intake.single,
  per: intake.per?.tag ?? null,
  by: intake.by !== undefined,
  within: durationOf(intake.within)
})

/** Indexes events by tag. */
const eventsOf = ({ events }: Graph): ReadonlyMap<string, GraphEvent> =>
  new Map(events.map((event) => [event.tag, event]))

/** All paths of events: from outside first, then from each step in turn. */
export const edgesOf = (graph: Graph): ReadonlyArray<Edge> => {
  const events = eventsOf(graph)
  const leaves = new Set([...graph.stops, ...graph.outputs])
  const edges = (from: string | null, tags: Iterable<string>): ReadonlyArray<Edge> =>
    [...tags].flatMap((event) => {
      const { acceptedBy, askedBy } = events.get(event)!
      // Only events from outside answer a question.
      const to: ReadonlyArray<string | null> = from === null ? [...new Set([...acceptedBy, ...askedBy])] : acceptedBy
      return (leaves.has(event) ? [...to, null] : to).map((to) => ({ from, event, to }))
    })
  return [
    ...edges(null, new Set([graph.start, ...graph.inputs])),
    ...graph.steps.flatMap(({ name, emits }) => edges(name, emits))
  ]
}

/** The steps from which an event can reach a step. A step is in its own upstream only if it is in a loop. */
export const upstreamOf = (graph: Graph, step: string): ReadonlySet<string> => {
  const events = eventsOf(graph)
  const accepts = new Map(graph.steps.map(({ name, accepts }) => [name, accepts]))
  const emitting = (tag: string) => events.get(tag)?.emittedBy ?? []
  const direct = (accepts.get(step) ?? []).flatMap(emitting)
  return reach(direct, (name) => accepts.get(name)!, emitting)
}

/** The scopes of all intakes with `per`, in the order of those intakes. */
export const scopesOf = (graph: Graph): ReadonlyArray<GraphScope> => {
  const events = eventsOf(graph)
  const steps = new Map(graph.steps.map((step) => [step.name, step]))
  const accepting = (tag: string) => events.get(tag)?.acceptedBy ?? []
  const emitting = (tag: string) => events.get(tag)?.emittedBy ?? []
  const kept = new Map<string, Array<string>>()
  for (const { name, intake } of graph.steps) {
    if (intake === null || intake.per === null) continue
    const names = kept.get(intake.per)
    if (names === undefined) kept.set(intake.per, [name])
    else names.push(name)
  }
  return [...kept].map(([event, ends]) => {
    const below = reach(accepting(event), (name) => steps.get(name)!.emits, accepting)
    const above = reach(ends, (name) => steps.get(name)!.accepts, emitting)
    const inside = new Set([...ends, ...[...below].filter((name) => above.has(name))])
    return { event, steps: graph.steps.map(({ name }) => name).filter((name) => inside.has(name)) }
  })
}

/** The steps reachable by events; each is visited once. */
const reach = (
  from: Iterable<string>,
  events: (name: string) => ReadonlyArray<string>,
  next: (tag: string) => ReadonlyArray<string>
): ReadonlySet<string> => {
  const found = new Set(from)
  const followed = new Set<string>()
  for (const name of found) {
    for (const tag of events(name)) {
      if (followed.has(tag)) continue
      followed.add(tag)
      for (const further of next(tag)) found.add(further)
    }
  }
  return found
}
