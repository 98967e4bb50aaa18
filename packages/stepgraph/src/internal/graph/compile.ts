/**
 * Indexes a workflow's graph, once for all its runs.
 */
import * as Duration from "effect/Duration"
import { type AnyDef, recognizerOf } from "../../Event.ts"
import { isIntake } from "../../Intake.ts"
import { markFromOutside, markParking } from "./from-outside.ts"
import { acceptedBy, type CompiledGraph, type Definition, type Node, type Route, stopsOf } from "./graph.ts"
import { group, type Ungrouped } from "./groups.ts"
import { needsOf } from "./needs.ts"
import { secondTaken } from "./taken.ts"
import { downstream } from "./upstream.ts"

const defaultBuffer = 1024

/** Indexes a workflow that has no problems. */
export const compile = (flow: Definition): CompiledGraph => {
  const steps = Object.entries(flow.steps)
  const kinds = new Map<string | undefined, number>([[undefined, 0]])
  const openers = steps.flatMap(([, { accepts }]) => (isIntake(accepts) ? (accepts.per ?? []) : []))
  for (const { tag } of openers) if (!kinds.has(tag)) kinds.set(tag, kinds.size)

  const stops = new Set(stopsOf(flow).map((def) => def.tag))
  const outputs = new Set(flow.outputs.map((def) => def.tag))
  const asked = new Set(steps.flatMap(([, { asks = [] }]) => asks.map(({ tag }) => tag)))
  type RouteDraft = Route & { readonly acceptors: Array<Node>; readonly emitters: Array<Node> }
  const routes = new Map<string, RouteDraft>()
  const routeOf = (def: AnyDef): RouteDraft => {
    let route = routes.get(def.tag)
    if (route === undefined) {
      const { tag } = def
      const opens = kinds.get(tag) ?? 0
      route = {
        tag,
        def,
        recognizes: recognizerOf(def),
        stop: stops.has(tag),
        output: outputs.has(tag),
        acceptors: [],
        emitters: [],
        opens,
        sent: "never",
        asked: asked.has(tag)
      }
      routes.set(tag, route)
    }
    return route
  }

  const nodes: Array<Ungrouped> = steps.map(([name, step], index) => {
    const intake = isIntake(step.accepts) ? step.accepts : undefined
    const workers = step.workers === "unbounded" ? Number.POSITIVE_INFINITY : step.workers
    const guarded = [step.timeout, step.limit, step.retry, step.recover].some((guard) => guard !== undefined)
    const grace = step.grace ?? flow.grace
    const emits = new Map(step.emits.map((def) => [def.tag, routeOf(def)]))
    return {
      index,
      name,
      step,
      workers,
      buffer: step.buffer ?? defaultBuffer,
      guarded,
      grace: grace === undefined ? undefined : Duration.fromInputUnsafe(grace),
      lists: false,
      ctx: secondTaken(step.run),
      intake,
      needs: intake === undefined ? undefined : needsOf(intake),
      per: kinds.get(intake?.per?.tag)!,
      accepts: [...new Set(acceptedBy(step).map(routeOf))],
      streams: step.stream && new Set(step.stream.map(({ tag }) => tag)),
      asks: [...new Set((step.asks ?? []).map(routeOf))],
      emits: [...emits.values()],
      routes: emits,
      first: emits.values().next().value,
      feeds: [],
      raced: [],
      arms: [],
      fed: false,
      sent: false,
      scopeless: false,
      parks: false,
      quiescent: undefined
    }
  })
  openers.forEach(routeOf)
  const isGather = ({ intake }: Node) => intake?.kind === "gather"
  for (const node of nodes) for (const { tag } of node.emits) routes.get(tag)!.emitters.push(node)
  for (const node of [...nodes.filter(isGather), ...nodes.filter((node) => !isGather(node))]) {
    for (const { tag } of node.accepts) routes.get(tag)!.acceptors.push(node)
  }

  const start = routeOf(flow.start)
  const inputs = new Map(flow.inputs.map((def) => [def.tag, routeOf(def)]))
  for (const node of downstream(inputs.values())) (node as Ungrouped).fed = true
  markFromOutside(nodes, [...inputs.values()])
  const tags = [...kinds.keys()]
  const openings = tags.map((tag) => (tag === undefined ? start : routes.get(tag)!))
  const grouped = group(nodes, start, openings)
  markParking(nodes)
  return {
    name: flow.name,
    nodes,
    routes,
    start,
    inputs,
    stops: [...stops],
    ...grouped,
    kinds: tags,
    ordered: nodes.some(isGather),
    asking: asked.size > 0,
    keyed: nodes.some(({ intake }) => intake?.by !== undefined),
    scopeless: inputs.size > 0 && (kinds.size > 1 || nodes.some(({ parks }) => parks))
  }
}
