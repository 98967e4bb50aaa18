/**
 * Decided races: runs their steps, and cancels everything else on its way to them.
 */
import type { Quiescence } from "./quiescence.ts"
import type { Flight, Watch } from "./scope.ts"

interface Decision {
  readonly race: Watch
  /** Removes the winning events, and returns a function that makes the race's step runnable. */
  readonly take: () => () => void
  readonly flight: Flight
}

export class Races {
  private readonly quiescence: Quiescence
  /** Races decided by the current emissions. */
  private decisions: Array<Decision> = []

  constructor(quiescence: Quiescence) {
    this.quiescence = quiescence
  }

  decided(race: Watch, take: () => () => void): void {
    // Until its step is runnable, the race itself is in flight.
    const flight: Flight = { node: race.quiescent.node, scope: race.scope, underWay: false, cancel: () => {} }
    this.quiescence.enter(flight)
    this.decisions.push({ race, take, flight })
  }

  /**
   * All events emitted together have been delivered: the races that they decided run, and everything else on its way to
   * those is cancelled. This handles all races at once, so neither the order of a list nor that of the steps matters.
   */
  settle(): void {
    // Hot: called at each end of an invocation, and short enough to be inlined.
    if (this.decisions.length > 0) this.run()
  }

  private run(): void {
    while (this.decisions.length > 0) {
      const decisions = this.decisions
      this.decisions = []
      const runs = decisions.map(({ take }) => take())
      const reached = decisions.map(({ race: { quiescent, group } }) => ({ race: quiescent, ...group.reach!.all() }))
      // A gather on the way to a race has no further round, and the events of an intake there belong to a round that
      // will never be complete.
      for (const { race, drops } of reached) for (const drop of drops) drop(race)
      const flights = reached.flatMap(({ race, flights }) => flights.filter(({ node }) => node !== race.node))
      // Make the steps runnable first: for a gather around them, their scopes are not quiet yet.
      for (const run of runs) run()
      for (const { flight } of decisions) this.quiescence.leave(flight)
      // Cancel waiting work before running work: an interruption frees a worker, which must not take it.
      for (const flight of flights) if (!flight.underWay) flight.cancel()
      for (const flight of flights) if (flight.underWay) flight.cancel()
    }
  }
}
