/**
 * Races that have been decided: their steps run, and what else is on its way to them is called off.
 */
import type { Quietness } from "./quiescence.ts"
import type { Flight, Watch } from "./scope.ts"

interface Decision {
  readonly race: Watch
  /** Takes out what decides the race, and gives what makes its step runnable. */
  readonly take: () => () => void
  readonly flight: Flight
}

export class Races {
  private readonly quietness: Quietness
  /** Those decided by what is being emitted. */
  private decisions: Array<Decision> = []

  constructor(quietness: Quietness) {
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
      const reached = decisions.map(({ race: { quiet, group } }) => ({ race: quiet, ...group.reach!.all() }))
      // No gather on the way to a race has another round, and what an intake there holds is part of a batch that will never
      // be whole.
      for (const { race, drops } of reached) for (const drop of drops) drop(race)
      const flights = reached.flatMap(({ race, flights }) => flights.filter(({ node }) => node !== race.node))
      // The steps are made runnable first: for a gather around them, their scopes have not gone quiet yet.
      for (const run of runs) run()
      for (const { flight } of decisions) this.quietness.leave(flight)
      // What waits goes before what works: an interruption frees a worker, which must not take it up.
      for (const flight of flights) if (!flight.underWay) flight.cancel()
      for (const flight of flights) if (flight.underWay) flight.cancel()
    }
  }
}
