/**
 * From which steps an intake can still be fed: what decides whose work it has to wait for. Each walk costs as much as the
 * part of the graph that it sees.
 */
import { componentsOf } from "./components.ts"
import type { Node, Quiet, Route } from "./graph.ts"

const reach = (to: Node, through: (node: Node) => boolean): Set<Node> => {
  const found = new Set<Node>()
  const seen = new Set<Route>()
  const open = [to]
  for (let target = open.pop(); target !== undefined; target = open.pop()) {
    for (const route of target.accepts) {
      if (seen.has(route)) continue
      seen.add(route)
      for (const node of route.emitters) {
        if (node === to || found.has(node)) continue
        found.add(node)
        if (through(node)) open.push(node)
      }
    }
  }
  return found
}

/** The steps from which an event can still come to `to`, on a path that does not lead through `to` itself. */
export const upstream = (to: Node): Set<Node> => reach(to, () => true)

/**
 * The steps that reach an intake without another gather of the same scope between: their work belongs to the intake's own
 * next round, and not to that gather's.
 */
export const direct = (to: Node): Set<Node> =>
  reach(to, (node) => !(node.intake?.kind === "gather" && node.per === to.per))

/** The steps that events of these types can lead to; where a kind of scope is given, without opening another one of it. */
export const downstream = (from: Iterable<Route>, within = 0): Set<Node> => {
  const found = new Set<Node>()
  const seen = new Set(from)
  for (const route of seen) {
    if (within > 0 && route.opens === within) continue
    for (const node of route.acceptors) {
      if (found.has(node)) continue
      found.add(node)
      for (const emitted of node.emits) seen.add(emitted)
    }
  }
  return found
}

/** How many steps lie between the start event and each step. */
const distances = (start: Route): Map<Node, number> => {
  const found = new Map<Node, number>()
  const seen = new Map([[start, 0]])
  for (const [route, distance] of seen) {
    for (const node of route.acceptors) {
      if (found.has(node)) continue
      found.set(node, distance)
      for (const emitted of node.emits) if (!seen.has(emitted)) seen.set(emitted, distance + 1)
    }
  }
  return found
}

/**
 * For each step the largest number of circles with one of these intakes on a way that leads to it. Steps of one circle
 * share a level, and what is downstream of it has a higher one.
 */
const levels = (quiets: ReadonlyArray<Quiet>, nodes: ReadonlyArray<Node>): ReadonlyArray<number> => {
  // Events are vertices too, so that n steps that emit one and n that accept it make 2n edges, not n².
  const events = [...new Set(nodes.flatMap(({ emits }) => emits))]
  const eventAt = new Map(events.map((route, index) => [route, nodes.length + index]))
  const next = (vertex: number): ReadonlyArray<number> =>
    vertex < nodes.length
      ? nodes[vertex]!.emits.map((route) => eventAt.get(route)!)
      : events[vertex - nodes.length]!.acceptors.map(({ index }) => index)
  const components = componentsOf(nodes.length + events.length, next)
  const waiting = new Set(quiets.map(({ node }) => components[node.index]!))
  const level = new Array<number>(components.length).fill(0)
  const inOrder = [...components.keys()].sort((a, b) => components[a]! - components[b]!)
  for (const vertex of inOrder) {
    const component = components[vertex]!
    const below = level[component]! + (waiting.has(component) ? 1 : 0)
    for (const successor of next(vertex)) {
      const reached = components[successor]!
      if (reached !== component) level[reached] = Math.max(level[reached]!, below)
    }
  }
  return nodes.map(({ index }) => level[components[index]!]!)
}

/**
 * The order in which intakes fire that go quiet at the same moment: one that is upstream of another goes before it, and
 * in a circle the one nearer to the start event.
 */
export const orderQuiets = (
  quiets: ReadonlyArray<Quiet>,
  nodes: ReadonlyArray<Node>,
  start: Route
): ReadonlyArray<Quiet> => {
  if (quiets.length < 2) return quiets
  const distance = distances(start)
  const level = levels(quiets, nodes)
  const far = ({ node }: Quiet) => distance.get(node) ?? Number.MAX_SAFE_INTEGER
  return [...quiets].sort((a, b) => level[a.node.index]! - level[b.node.index]! || far(a) - far(b) || a.index - b.index)
}
