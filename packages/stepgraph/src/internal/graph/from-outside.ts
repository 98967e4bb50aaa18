/**
 * Where the inputs of a workflow lead, alone or as the missing half of an intake's round.
 */
import type { Node, Route } from "./graph.ts"
import type { Ungrouped } from "./groups.ts"

type Draft<A> = { -readonly [K in keyof A]: A[K] }

/** The events that inputs alone can lead to, and the steps that can run then, among those that pass. */
const comingOf = (
  inputs: Iterable<Route>,
  passes: (route: Route) => boolean,
  sees: (node: Node) => boolean
): { readonly routes: ReadonlySet<Route>; readonly nodes: ReadonlySet<Node> } => {
  const routes = new Set([...inputs].filter(passes))
  const nodes = new Set<Node>()
  const come = new Map<Node, number>()
  for (const route of routes) {
    for (const node of route.acceptors) {
      const count = (come.get(node) ?? 0) + 1
      come.set(node, count)
      // A join needs all of its events, any other step one of them.
      const needed = node.intake?.kind === "join" ? node.accepts.length : 1
      if (count !== needed || !sees(node)) continue
      nodes.add(node)
      for (const emitted of node.emits) if (passes(emitted)) routes.add(emitted)
    }
  }
  return { routes, nodes }
}

const isGatherOrRace = ({ intake }: Node): boolean => intake?.kind === "gather" || intake?.kind === "race"

/** Marks the events and steps that inputs alone can lead to. */
export const markFromOutside = (nodes: Iterable<Ungrouped>, inputs: ReadonlyArray<Route>): void => {
  if (inputs.length === 0) return
  const alone = comingOf(
    inputs,
    () => true,
    () => true
  )
  const noScope = comingOf(
    inputs,
    ({ opens }) => opens === 0,
    (node) => node.per === 0 && !isGatherOrRace(node)
  )
  for (const route of alone.routes)
    (route as Draft<Route>).sent = noScope.routes.has(route) ? "in no scope" : "in a scope"
  for (const node of nodes) {
    node.sent = alone.nodes.has(node)
    node.scopeless = noScope.nodes.has(node)
  }
}

/** Marks the steps whose held events can count as on their way to a gather or race. */
export const markParking = (nodes: Iterable<Ungrouped>): void => {
  for (const node of nodes) {
    const { accepts, ctx, feeds, intake, per } = node
    const holds = per === 0 && !isGatherOrRace(node) && (intake !== undefined || ctx !== "not at all")
    node.parks = holds && feeds.length > 0 && accepts.some(({ sent }) => sent !== "never")
  }
}

/** The events in no scope that work in no scope at these steps can lead to. */
export const comingFrom = (nodes: Iterable<Node>): ReadonlySet<Route> => {
  const routes = new Set<Route>()
  const add = ({ emits }: Node) => {
    for (const route of emits) if (route.sent === "in no scope") routes.add(route)
  }
  for (const node of nodes) add(node)
  for (const { acceptors } of routes) for (const node of acceptors) if (node.scopeless) add(node)
  return routes
}
