/**
 * The steps that each gather and race waits for.
 *
 * Such an intake waits for everything upstream. Intakes of one cycle and one kind of scope have the same upstream and
 * form a group. A step feeds only the nearest groups, and each group holds the next ones back until it is quiet, so the
 * cost of a delivery does not depend on the number of gathers in a row.
 */
import { componentsOf } from "./components.ts"
import type { CompiledGraph, Group, Node, Quiescent, Route } from "./graph.ts"
import { downstream, upstream } from "./upstream.ts"

/** Steps and events are both vertices: n steps that emit one event and n that accept it make 2n edges, not n². */
const vertices = (nodes: ReadonlyArray<Node>) => {
  const routes = [...new Set(nodes.flatMap(({ accepts, emits }) => [...accepts, ...emits]))]
  const routeAt = new Map(routes.map((route, index) => [route, nodes.length + index]))
  const next = (vertex: number): ReadonlyArray<number> =>
    vertex < nodes.length
      ? nodes[vertex]!.emits.map((route) => routeAt.get(route)!)
      : routes[vertex - nodes.length]!.acceptors.map(({ index }) => index)
  const circles = componentsOf(nodes.length + routes.length, next)
  return {
    next,
    circles,
    /** The number of a step's cycle. If one cycle leads to another, the first has the smaller number. */
    circleOf: ({ index }: Node): number => circles[index]!,
    circleOfEvent: (route: Route): number => circles[routeAt.get(route)!] ?? 0
  }
}
type Vertices = ReturnType<typeof vertices>

/** The distance of each step from the start event. */
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
 * For each step, the largest number of cycles with such an intake on a path to it. Steps of one cycle share a level,
 * and everything downstream has a higher one.
 */
const levels = (quiescents: ReadonlyArray<{ readonly node: Node }>, { circles, circleOf, next }: Vertices) => {
  const waiting = new Set(quiescents.map(({ node }) => circleOf(node)))
  const level = new Array<number>(circles.length).fill(0)
  const inOrder = [...circles.keys()].sort((a, b) => circles[a]! - circles[b]!)
  for (const vertex of inOrder) {
    const circle = circles[vertex]!
    const below = level[circle]! + (waiting.has(circle) ? 1 : 0)
    for (const successor of next(vertex)) {
      const reached = circles[successor]!
      if (reached !== circle) level[reached] = Math.max(level[reached]!, below)
    }
  }
  return (node: Node): number => level[circleOf(node)]!
}

/**
 * The firing order of intakes that go quiet at the same moment: upstream before downstream, and within a cycle the one
 * nearer to the start event first.
 */
const inOrder = <Waiting extends { readonly node: Node }>(
  quiescents: ReadonlyArray<Waiting>,
  start: Route,
  graph: Vertices
): ReadonlyArray<Waiting> => {
  if (quiescents.length < 2) return quiescents
  const distance = distances(start)
  const level = levels(quiescents, graph)
  const far = (node: Node) => distance.get(node) ?? Number.MAX_SAFE_INTEGER
  return [...quiescents].sort(({ node: a }, { node: b }) => level(a) - level(b) || far(a) - far(b) || a.index - b.index)
}

type Draft<A> = { -readonly [K in keyof A]: A[K] extends ReadonlyArray<infer B> ? Array<B> : A[K] }
/** A step without its `feeds`, `raced`, `arms` and `quiescent` yet. */
export type Ungrouped = { -readonly [K in keyof Node]: Node[K] }

/**
 * Finds the groups, and records at each step which ones it feeds. `openers` lists the event that opens each kind of
 * scope.
 */
export const group = (
  nodes: ReadonlyArray<Ungrouped>,
  start: Route,
  openers: ReadonlyArray<Route>
): Pick<CompiledGraph, "quiescents" | "groups"> => {
  const quiescents = openers.map((): Array<Quiescent> => [])
  const groups = openers.map((): Array<Draft<Group>> => [])
  const waiting = nodes.flatMap((node) =>
    node.intake?.kind === "gather" || node.intake?.kind === "race" ? [{ node, intake: node.intake }] : []
  )
  if (waiting.length === 0) return { quiescents, groups }
  const graph = vertices(nodes)
  const { circleOf } = graph
  // In a scope, nothing happens at steps that its opening event does not lead to.
  const first = openers.map((route, kind) => (kind === 0 ? 0 : graph.circleOfEvent(route)))
  const inside = (kind: number) => (node: Node) => circleOf(node) >= first[kind]!

  const groupAt = openers.map(() => new Map<number, Draft<Group>>())
  const all: Array<Draft<Group>> = []
  for (const { node, intake } of inOrder(waiting, start, graph)) {
    const kind = node.per
    let group = groupAt[kind]!.get(circleOf(node))
    if (group === undefined) {
      const raced = false
      group = { index: groups[kind]!.length, kind, members: [], next: [], raced, sent: false }
      groupAt[kind]!.set(circleOf(node), group)
      groups[kind]!.push(group)
      all.push(group)
    }
    const isGatherOfKind = (other: Node) => other.intake?.kind === "gather" && other.per === kind
    const waits = !intake.single
    // Work beyond another gather of the same scope belongs to that gather's next round.
    const round = waits
      ? upstream([node], (other) => other !== node && !isGatherOfKind(other), inside(kind))
      : undefined
    // An invocation of its own step does not make a round.
    round?.delete(node)
    const opened = round !== undefined && openers[kind]!.acceptors.some((to) => to === node || round.has(to))
    const index = quiescents[kind]!.length
    const quiescent = { index, node, kind, group, waits, opened, leadsBackTo: leadingBack(node, circleOf) }
    node.quiescent = quiescent
    quiescents[kind]!.push(quiescent)
    group.members.push(quiescent)
    group.sent ||= kind === 0 && node.sent
    if (round !== undefined) for (const other of round) (other.arms as Array<Quiescent>).push(quiescent)
  }
  for (const group of all) {
    const { kind } = group
    const members = group.members.map(({ node }) => node)
    const other = (node: Node) => {
      const at = groupAt[kind]!.get(circleOf(node))
      return at === group ? undefined : at
    }
    const before = new Set<Draft<Group>>()
    // A step in its own upstream holds back the next round while it runs, because it may emit more events for it.
    const waited = upstream(members, (node) => other(node) === undefined, inside(kind))
    for (const member of members) waited.add(member)
    for (const node of waited) {
      const nearer = other(node)
      if (nearer === undefined) (node.feeds as Array<Group>).push(group)
      else before.add(nearer)
    }
    for (const nearer of before) nearer.next.push(group)
  }
  for (const group of all.toReversed()) {
    group.raced =
      group.members.some(({ node }) => node.intake?.kind === "race") || group.next.some(({ raced }) => raced)
  }
  const races = new Map<Group, ReadonlyArray<Quiescent>>()
  for (const group of all)
    races.set(
      group,
      group.members.filter(({ node }) => node.intake?.kind === "race")
    )
  for (const node of nodes) {
    if (node.feeds.length === 0) continue
    node.raced = node.feeds.filter((group) => {
      const [one, another] = races.get(group)!
      return another !== undefined || (one !== undefined && one.node !== node) || group.next.some(({ raced }) => raced)
    })
  }
  return { quiescents, groups }
}

/**
 * Among the steps that lead to a step, finds those in its cycle. Few steps are asked for, and the results are cached.
 */
const leadingBack = (from: Node, circleOf: (node: Node) => number): Quiescent["leadsBackTo"] => {
  const found = new Map<number, ReadonlySet<Node>>()
  const inCircle = (node: Node) => circleOf(node) === circleOf(from)
  return (to) => {
    if (!inCircle(to)) return false
    let back = found.get(to.per)
    if (back === undefined) {
      back = downstream(from.emits, ({ opens }) => to.per === 0 || opens !== to.per, inCircle)
      found.set(to.per, back)
    }
    return back.has(to)
  }
}
