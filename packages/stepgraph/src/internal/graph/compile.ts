/**
 * Indexes a workflow's graph, once for all its runs.
 */
import { type AnyDef, recognizerOf } from "../../Event.ts"
import { isIntake } from "../../Intake.ts"
import {
  acceptedBy,
  type Definition,
  type Feed,
  type Graph,
  type Node,
  type Quiet,
  type Route,
  stopsOf
} from "./graph.ts"
import { needsOf } from "./needs.ts"
import { secondTaken } from "./taken.ts"
import { direct, downstream, orderQuiets, upstream } from "./upstream.ts"

/** Indexes a workflow whose problems have been found to be none. */
export const compile = (flow: Definition): Graph => {
  const steps = Object.entries(flow.steps)
  const kinds = new Map<string | undefined, number>([[undefined, 0]])
  const openers = steps.flatMap(([, { accepts }]) => (isIntake(accepts) ? (accepts.per ?? []) : []))
  for (const { tag } of openers) if (!kinds.has(tag)) kinds.set(tag, kinds.size)

  const stops = new Set(stopsOf(flow).map((def) => def.tag))
  const outputs = new Set(flow.outputs.map((def) => def.tag))
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
        opens
      }
      routes.set(tag, route)
    }
    return route
  }

  type Draft = { -readonly [K in keyof Node]: Node[K] }
  const nodes: Array<Draft> = steps.map(([name, step], index) => {
    const intake = isIntake(step.accepts) ? step.accepts : undefined
    const workers = step.workers === "unbounded" ? Number.POSITIVE_INFINITY : step.workers
    const guarded = step.timeout !== undefined || step.retry !== undefined || step.recover !== undefined
    const emits = new Map(step.emits.map((def) => [def.tag, routeOf(def)]))
    return {
      index,
      name,
      step,
      workers,
      guarded,
      ctx: secondTaken(step.run),
      intake,
      needs: intake === undefined ? undefined : needsOf(intake),
      per: kinds.get(intake?.per?.tag)!,
      accepts: [...new Set(acceptedBy(step).map(routeOf))],
      emits: [...emits.values()],
      routes: emits,
      first: emits.values().next().value,
      feeds: [],
      droppedBy: [],
      quiet: undefined
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
  const fromInputs = downstream(inputs.values())
  const tags = [...kinds.keys()]
  const quiets: Array<Quiet> = []
  const rounds = new Map<Quiet, ReadonlySet<Node>>()
  for (const node of nodes) {
    if (node.intake?.kind !== "gather" && node.intake?.kind !== "race") continue
    const round = direct(node)
    const opener = node.per === 0 ? start : routes.get(tags[node.per]!)!
    const opened = opener.acceptors.some((acceptor) => acceptor === node || round.has(acceptor))
    const quiet = { index: quiets.length, node, kind: node.per, opened, fed: node.per === 0 && fromInputs.has(node) }
    node.quiet = quiet
    quiets.push(quiet)
    rounds.set(quiet, round)
  }
  const ordered = orderQuiets(quiets, nodes, start)
  for (const quiet of ordered) {
    const isRace = quiet.node.intake?.kind === "race"
    const after = isRace ? tags.map((_, kind) => downstream(quiet.node.emits, kind)) : undefined
    for (const node of upstream(quiet.node)) {
      ;(node.feeds as Array<Feed>).push({ quiet, arms: rounds.get(quiet)!.has(node) })
      if (after === undefined) continue
      // What is upstream of a decided race has been called off: only the race's own step, or an input, can lead there still.
      const refilled = after[node.per]!.has(node) || (quiet.kind === 0 && fromInputs.has(node))
      // What waits for quiet would run with the half that has come.
      if (!refilled || node.quiet !== undefined) (node.droppedBy as Array<Quiet>).push(quiet)
    }
    // Its own step holds the next round back while it runs, as it may emit more of it; but that it runs makes no round.
    ;(quiet.node.feeds as Array<Feed>).push({ quiet, arms: false })
  }

  return {
    name: flow.name,
    nodes,
    routes,
    start,
    inputs,
    stops: [...stops],
    quiets: ordered,
    kinds: tags,
    ordered: quiets.some(({ node }) => isGather(node)),
    keyed: nodes.some(({ intake }) => intake?.by !== undefined)
  }
}
