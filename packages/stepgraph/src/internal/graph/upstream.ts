/**
 * Walks of the graph. Each costs as much as the part that it visits.
 */
import type { Node, Route } from "./graph.ts"

/**
 * The steps from which an event can still reach one of these; a step in the list counts only if another leads to it. A
 * walk continues beyond the steps that `through` allows, and ignores those that `sees` excludes.
 */
export const upstream = (
  to: Iterable<Node>,
  through: (node: Node) => boolean = () => true,
  sees: (node: Node) => boolean = () => true
): Set<Node> => {
  const found = new Set<Node>()
  const seen = new Set<Route>()
  const open = [...to]
  for (let target = open.pop(); target !== undefined; target = open.pop()) {
    for (const route of target.accepts) {
      if (seen.has(route)) continue
      seen.add(route)
      for (const node of route.emitters) {
        if (found.has(node) || !sees(node)) continue
        found.add(node)
        if (through(node)) open.push(node)
      }
    }
  }
  return found
}

/** The steps that events of these types can lead to. A walk ignores excluded types and steps. */
export const downstream = (
  from: Iterable<Route>,
  passes: (route: Route) => boolean = () => true,
  sees: (node: Node) => boolean = () => true
): Set<Node> => {
  const found = new Set<Node>()
  const seen = new Set(from)
  for (const route of seen) {
    if (!passes(route)) continue
    for (const node of route.acceptors) {
      if (found.has(node) || !sees(node)) continue
      found.add(node)
      for (const emitted of node.emits) seen.add(emitted)
    }
  }
  return found
}
