/**
 * Races that have been decided: their steps run, and what else is on its way to them is called off.
 */
import type { Graph, Node, Quiet } from "../graph/graph.ts"
import type { Flight, Quietness, Watch } from "./scope.ts"

interface Decision {
  readonly race: Watch
  /** Takes out what decides the race, and gives what makes its step runnable. */
  readonly take: () => () => void
  readonly flight: Flight
}

const leadsTo = (node: Node, race: Watch): boolean =>
  node !== race.quiet.node && node.feeds.some((feed) => feed.quiet === race.quiet)

export class Races {
  private readonly graph: Graph
  private readonly quietness: Quietness
  /** Those decided by what is being emitted. */
  private decisions: Array<Decision> = []

  constructor(graph: Graph, quietness: Quietness) {
    this.graph = graph
    this.quietness = quietness
  }

  decided(race: Watch, take: () => () => void): void {
    // Until its step is made runnable, the race itself is what is on its way.
    const flight: Flight = { node: race.quiet.node, scope: race.scope, underWay: false, cancel: () => {} }
    this.quietness.enter(flight)
    this.decisions.push({ race, take, flight })
  }

  /**
   * All that is emitted together has been delivered: the races that it decided run, and everything else on its way to them
   * is called off. Done for all of them at once, so that neither the order of a list nor that of the steps matters.
   */
  endMoment(): void {
    // Hot: asked at each end of an invocation, and short enough to be compiled into it.
    if (this.decisions.length > 0) this.run()
  }

  private run(): void {
    while (this.decisions.length > 0) {
      const decisions = this.decisions
      this.decisions = []
      const runs = decisions.map(({ take }) => take())
      const reached = decisions.map(({ race }) => ({ race, ...race.reach!.all() }))
      for (const { race, flights } of reached) this.disarm(race, flights)
      // What an intake on the way to a race holds is part of a batch that will never be whole.
      for (const { drops } of reached) for (const drop of drops) drop()
      const flights = reached.flatMap(({ race, flights }) => flights.filter(({ node }) => node !== race.quiet.node))
      // The steps are made runnable first: for a gather around them, their scopes have not gone quiet yet.
      for (const run of runs) run()
      for (const { flight } of decisions) this.quietness.leave(flight)
      // What waits goes before what works: an interruption frees a worker, which must not take it up.
      for (const flight of flights) if (!flight.underWay) flight.cancel()
      for (const flight of flights) if (flight.underWay) flight.cancel()
    }
  }

  /** No gather on the way to a race has another round in its scope, nor in those nested in it. */
  private disarm(race: Watch, flights: ReadonlyArray<Flight>): void {
    const leading = new Set(this.graph.quiets.filter(({ node }) => leadsTo(node, race)))
    if (leading.size === 0) return
    const disarm = (quiet: Quiet, watch: Watch | undefined) => {
      if (watch === undefined || !leading.has(quiet)) return
      watch.disarm()
      watch.dropped = true
    }
    for (const quiet of leading) disarm(quiet, race.scope.watches[quiet.index])
    for (const { node, scope } of flights) {
      for (const { quiet } of node.feeds) {
        const owner = scope.owners[quiet.kind]
        // Both are around the flight, so that the deeper one is inside of the other.
        if (owner !== undefined && owner.depth >= race.scope.depth) disarm(quiet, owner.watches[quiet.index])
      }
    }
  }
}
