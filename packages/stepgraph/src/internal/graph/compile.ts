/**
 * Indexes a workflow's graph, once for all its runs.
 */
import type { AnyDef } from "../../Event.ts"
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
import { direct, orderQuiets, upstream } from "./upstream.ts"

/** Indexes a workflow whose problems have been found to be none. */
export const compile = (flow: Definition): Graph => {
  const steps = Object.entries(flow.steps)
  const kinds: Array<string | undefined> = [undefined]
  for (const [, { accepts }] of steps) {
    const per = isIntake(accepts) ? accepts.per?.tag : undefined
    if (per !== undefined && !kinds.includes(per)) kinds.push(per)
  }
  const kindOf = (tag: string | undefined) => Math.max(0, kinds.indexOf(tag))

  type Draft = { -readonly [K in keyof Node]: Node[K] }
  const nodes: Array<Draft> = steps.map(([name, step], index) => {
    const intake = isIntake(step.accepts) ? step.accepts : undefined
    const workers = step.workers === "unbounded" ? Number.POSITIVE_INFINITY : step.workers
    const guarded = step.timeout !== undefined || step.retry !== undefined || step.recover !== undefined
    return {
      index,
      name,
      step,
      workers,
      guarded,
      intake,
      needs: intake === undefined ? undefined : needsOf(intake),
      per: kindOf(intake?.per?.tag),
      routes: new Map(),
      first: undefined,
      targets: [],
      feeds: [],
      quiet: undefined
    }
  })

  const stops = new Set(stopsOf(flow).map((def) => def.tag))
  const outputs = new Set(flow.outputs.map((def) => def.tag))
  const routes = new Map<string, Route>()
  const routeOf = (def: AnyDef): Route => {
    let route = routes.get(def.tag)
    if (route === undefined) {
      const takers = nodes.filter((node) => acceptedBy(node.step).some(({ tag }) => tag === def.tag))
      // A gather that keeps the event itself comes first, so that it has a cause before what came of it.
      const gathers = takers.filter(({ intake }) => intake?.kind === "gather")
      const acceptors = [...gathers, ...takers.filter((node) => !gathers.includes(node))]
      const opens = kinds.indexOf(def.tag, 1)
      route = {
        tag: def.tag,
        def,
        stop: stops.has(def.tag),
        output: outputs.has(def.tag),
        acceptors,
        opens: Math.max(0, opens)
      }
      routes.set(def.tag, route)
    }
    return route
  }
  for (const node of nodes) {
    node.routes = new Map(node.step.emits.map((def) => [def.tag, routeOf(def)]))
    node.first = node.routes.values().next().value
    node.targets = nodes.filter((target) =>
      [...node.routes.values()].some(({ acceptors }) => acceptors.includes(target))
    )
  }

  const start = routeOf(flow.start)
  const quiets: Array<Quiet> = []
  const rounds = new Map<Quiet, ReadonlySet<Node>>()
  for (const node of nodes) {
    if (node.intake?.kind !== "gather" && node.intake?.kind !== "race") continue
    const round = direct(node, nodes)
    const opener = node.per === 0 ? start : routes.get(kinds[node.per]!)
    const opened = opener?.acceptors.some((acceptor) => acceptor === node || round.has(acceptor)) === true
    const above = new Set([node, ...upstream(node, nodes)])
    const fed =
      node.per === 0 && flow.inputs.some((def) => routeOf(def).acceptors.some((acceptor) => above.has(acceptor)))
    const quiet = { index: quiets.length, node, kind: node.per, opened, fed }
    node.quiet = quiet
    quiets.push(quiet)
    rounds.set(quiet, round)
  }
  const ordered = orderQuiets(quiets, nodes, start)
  for (const quiet of ordered) {
    for (const node of upstream(quiet.node, nodes)) {
      ;(node.feeds as Array<Feed>).push({ quiet, arms: rounds.get(quiet)!.has(node) })
    }
    // Its own step holds the next round back while it runs, as it may emit more of it; but that it runs makes no round.
    ;(quiet.node.feeds as Array<Feed>).push({ quiet, arms: false })
  }

  return {
    name: flow.name,
    nodes,
    start,
    inputs: new Map(flow.inputs.map((def) => [def.tag, routeOf(def)])),
    stops: [...stops],
    quiets: ordered,
    kinds,
    ordered: quiets.some(({ node }) => node.intake?.kind === "gather")
  }
}
