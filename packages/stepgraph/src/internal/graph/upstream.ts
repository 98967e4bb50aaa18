/**
 * From which steps an intake can still be fed: what decides whose work it has to wait for.
 */
import type { Node, Quiet, Route } from "./graph.ts"

const reach = (to: Node, nodes: ReadonlyArray<Node>, through: (node: Node) => boolean): Set<Node> => {
  const found = new Set<Node>()
  const visit = (target: Node): void => {
    for (const node of nodes) {
      if (node === to || found.has(node) || !node.targets.includes(target)) continue
      found.add(node)
      if (through(node)) visit(node)
    }
  }
  visit(to)
  return found
}

/** The steps from which an event can still come to `to`, on a path that does not lead through `to` itself. */
export const upstream = (to: Node, nodes: ReadonlyArray<Node>): Set<Node> => reach(to, nodes, () => true)

/**
 * The steps that reach an intake without another gather of the same scope between: their work belongs to the intake's own
 * next round, and not to that gather's.
 */
export const direct = (to: Node, nodes: ReadonlyArray<Node>): Set<Node> =>
  reach(to, nodes, (node) => !(node.intake?.kind === "gather" && node.per === to.per))

/** How many steps lie between the start event and each step. */
const distances = (start: Route): Map<Node, number> => {
  const found = new Map<Node, number>(start.acceptors.map((node) => [node, 0]))
  for (const [node, distance] of found) {
    for (const target of node.targets) if (!found.has(target)) found.set(target, distance + 1)
  }
  return found
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
  const distance = distances(start)
  const far = (quiet: Quiet) => distance.get(quiet.node) ?? Number.POSITIVE_INFINITY
  const above = new Map(quiets.map((quiet) => [quiet, upstream(quiet.node, nodes)]))
  const before = (a: Quiet, b: Quiet) => above.get(b)?.has(a.node) === true && above.get(a)?.has(b.node) !== true
  const left = [...quiets].sort((a, b) => far(a) - far(b) || a.index - b.index)
  const ordered: Array<Quiet> = []
  while (left.length > 0) {
    const next = left.findIndex((quiet) => !left.some((other) => before(other, quiet)))
    ordered.push(...left.splice(next, 1))
  }
  return ordered
}
