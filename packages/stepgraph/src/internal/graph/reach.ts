/**
 * Checks that need the whole graph: unreachable steps, and events from outside the scope that an intake names. Linear
 * in the size of the graph, whatever the order of declaration.
 */
import { acceptedBy, type CompiledGraph, type Definition, type Node, quoted, type Route, stopsOf } from "./graph.ts"

type Report = (problem: string) => void

/** The steps that can run once these events come. A step needs one of its events, or all of them. */
const follow = (
  begin: Iterable<Route>,
  waitsForAll: (node: Node) => boolean,
  comes: (route: Route, of: Node) => boolean
): Set<Node> => {
  const runs = new Set<Node>()
  const missing = new Map<Node, number>()
  const come = new Set(begin)
  for (const route of come) {
    for (const node of route.acceptors) {
      if (runs.has(node)) continue
      const left = (missing.get(node) ?? (waitsForAll(node) ? node.accepts.length : 1)) - 1
      missing.set(node, left)
      if (left > 0) continue
      runs.add(node)
      for (const emitted of node.emits) if (!come.has(emitted) && comes(emitted, node)) come.add(emitted)
    }
  }
  return runs
}

/** Whether the events of these steps can still lead to a stop event. */
export const canStop = (nodes: Iterable<Node>): boolean => {
  const seen = new Set(nodes)
  for (const { emits } of seen) {
    for (const { stop, acceptors } of emits) {
      if (stop) return true
      for (const node of acceptors) seen.add(node)
    }
  }
  return false
}

/** Unreachable steps and stop events for which an emitting step exists. */
export const checkReach = (flow: Definition, { nodes, routes, start, inputs }: CompiledGraph, report: Report): void => {
  // An event that no step emits is already reported at the step that accepts it; the step's unreachability adds
  // nothing.
  const unknown = nodes.flatMap(({ accepts }) => accepts).filter(({ emitters }) => emitters.length === 0)
  const begin = [start, ...inputs.values(), ...unknown]
  const come = new Set(begin)
  const runs = follow(
    begin,
    ({ intake }) => intake?.kind === "join",
    (route) => {
      come.add(route)
      return true
    }
  )
  for (const node of nodes) {
    if (runs.has(node) || node.accepts.length === 0) continue
    const missing = acceptedBy(node.step).filter(({ tag }) => !come.has(routes.get(tag)!))
    const names = quoted(missing.map(({ tag }) => tag))
    report(
      `no event can reach step '${node.name}': ${names} can never come, because nothing leads to it from '${flow.start.tag}'`
    )
  }
  for (const { tag } of stopsOf(flow)) {
    const stop = routes.get(tag)
    if (stop !== undefined && stop.emitters.length > 0 && !come.has(stop)) {
      const names = quoted(stop.emitters.map(({ name }) => name))
      report(`the stop event '${tag}' cannot be reached: the steps that emit it (${names}) can never run`)
    }
  }
}

/** Events that come from inputs on a path without any `per` event, each with its input. */
const fromInputs = ({ inputs }: CompiledGraph, per: Route): ReadonlyMap<Route, string> => {
  const found = new Map([...inputs.values()].filter((route) => route !== per).map((route) => [route, route.tag]))
  const comes = (route: Route, { accepts }: Node) => {
    if (route === per) return false
    found.set(route, found.get(accepts[0]!)!)
    return true
  }
  follow([...found.keys()], () => true, comes)
  return found
}

/** Whether an event leads to a step, with cached answers. */
const leadsFrom = (route: Route): ((to: Node) => boolean) => {
  const inside = new Set(route.acceptors)
  return (to) => {
    const seen = new Set([to])
    // Breadth first: in a valid workflow, the event is near.
    for (const node of seen) {
      if (inside.has(node)) {
        inside.add(to)
        return true
      }
      for (const { emitters } of node.accepts) for (const emitter of emitters) seen.add(emitter)
    }
    return false
  }
}

/** Events that reach an intake from outside the scope of its `per`, as the graph shows. */
export const checkScopes = (graph: CompiledGraph, report: Report): void => {
  const { nodes, routes, start, inputs } = graph
  const scopeOf = (per: Route) => ({ leadsTo: leadsFrom(per), inputOf: fromInputs(graph, per) })
  const scopes = new Map<string, ReturnType<typeof scopeOf>>()
  for (const node of nodes) {
    const per = node.intake?.per?.tag
    if (per === undefined) continue
    const scope = scopes.get(per) ?? scopeOf(routes.get(per)!)
    scopes.set(per, scope)
    const { leadsTo, inputOf } = scope
    for (const route of node.accepts) {
      const { tag } = route
      if (tag === per) continue
      const producers = route.emitters.filter((producer) => producer !== node)
      const outside = producers.filter((producer) => !leadsTo(producer))
      const intake = `step '${node.name}' keeps one intake per '${per}', but`
      const mend = `name an event in \`per\` that leads to '${tag}'`
      if (route === start) {
        report(`${intake} the start event '${tag}' comes from outside every '${per}': accept another event there`)
      } else if (inputs.has(tag)) {
        report(
          `${intake} the input event '${tag}' comes from outside every '${per}': match it by a key ('by'), or accept another event there`
        )
      } else if (outside.length === producers.length) {
        report(`${intake} '${tag}' never descends from '${per}': ${mend}`)
      } else if (outside.length > 0) {
        const names = quoted(outside.map(({ name }) => name))
        report(`${intake} '${tag}' also comes from ${names}, which no '${per}' leads to: ${mend}`)
      } else if (inputOf.has(route)) {
        report(
          `${intake} '${tag}' also follows from the input event '${inputOf.get(route)}', from outside every '${per}': match it by a key ('by'), or let another event lead to it`
        )
      }
    }
  }
}
