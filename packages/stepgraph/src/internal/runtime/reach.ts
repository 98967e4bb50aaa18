/**
 * What stands on the way to a race in one scope: what has to go once the race has been decided there.
 */
export class Reach<Flight> {
  /** What is in flight here, but not in a scope nested in this one. */
  private readonly flights = new Set<Flight>()
  /** The half-filled intakes here, each with what drops it. */
  private held: Map<object, () => void> | undefined
  /** Those of the nested scopes that are not empty. */
  private inner: Set<Reach<Flight>> | undefined
  private outer: Reach<Flight> | undefined
  private linked = false

  constructor(outer: Reach<Flight> | undefined) {
    this.outer = outer
  }

  enter(flight: Flight): void {
    this.flights.add(flight)
    this.link()
  }

  leave(flight: Flight): void {
    this.flights.delete(flight)
    this.unlink()
  }

  hold(cell: object, drop: () => void): void {
    this.held ??= new Map()
    this.held.set(cell, drop)
    this.link()
  }

  letGo(cell: object): void {
    this.held?.delete(cell)
    this.unlink()
  }

  /** All of it, and of the scopes nested in it; without recursion, as these may be nested thousands deep. */
  all(): { readonly flights: ReadonlyArray<Flight>; readonly drops: ReadonlyArray<() => void> } {
    const flights: Array<Flight> = []
    const drops: Array<() => void> = []
    const reaches: Array<Reach<Flight>> = [this]
    for (const reach of reaches) {
      for (const flight of reach.flights) flights.push(flight)
      if (reach.held !== undefined) for (const drop of reach.held.values()) drops.push(drop)
      if (reach.inner !== undefined) for (const inner of reach.inner) reaches.push(inner)
    }
    return { flights, drops }
  }

  /** Takes the place of the one around it, which has nothing of its own. */
  bypass(outer: Reach<Flight>): void {
    this.outer = outer.outer
    if (!this.linked) return
    this.linked = false
    outer.outer?.inner?.delete(outer)
    this.link()
  }

  private get empty(): boolean {
    return this.flights.size === 0 && !this.held?.size && !this.inner?.size
  }

  private link(): void {
    let reach: Reach<Flight> = this
    while (reach.outer !== undefined && !reach.linked) {
      reach.linked = true
      reach.outer.inner ??= new Set()
      reach.outer.inner.add(reach)
      reach = reach.outer
    }
  }

  private unlink(): void {
    let reach: Reach<Flight> = this
    while (reach.linked && reach.empty) {
      reach.linked = false
      reach.outer!.inner!.delete(reach)
      reach = reach.outer!
    }
  }
}
