/**
 * Everything on the way to the races of one group in one scope, which may have to go once one of them is decided there.
 */
import type { Quiescent } from "../../graph/graph.ts"

/** Drops held events, because a race that they lead to has been decided, unless the race keeps them. */
export type Drop = (race: Quiescent) => void

export class Reach<Flight> {
  /** The flights here, but neither at an earlier group nor in a nested scope. */
  private readonly flights = new Set<Flight>()
  /** The half-filled intakes here and the gathers with another round, each with a function that drops it. */
  private held: Map<object, Drop> | undefined
  /** The non-empty reaches of earlier groups and nested scopes. */
  private before: Set<Reach<Flight>> | undefined
  /** The reaches of later groups and of the outer scope: everything on the way to this one is on the way to them. */
  private readonly next: ReadonlyArray<Reach<Flight>>
  private outer: Reach<Flight> | undefined
  private linked = false

  constructor(next: ReadonlyArray<Reach<Flight>>, outer: Reach<Flight> | undefined) {
    this.next = next
    this.outer = outer
  }

  enter(flight: Flight): void {
    this.flights.add(flight)
    if (!this.linked) this.link()
  }

  leave(flight: Flight): void {
    this.flights.delete(flight)
    this.unlink()
  }

  hold(held: object, drop: Drop): void {
    this.held ??= new Map()
    this.held.set(held, drop)
    if (!this.linked) this.link()
  }

  letGo(held: object): void {
    this.held?.delete(held)
    this.unlink()
  }

  /** Everything in it; iterative, because scopes may be nested thousands deep. */
  all(): { readonly flights: ReadonlyArray<Flight>; readonly drops: ReadonlyArray<Drop> } {
    const flights: Array<Flight> = []
    const drops: Array<Drop> = []
    const reaches = new Set<Reach<Flight>>([this])
    for (const reach of reaches) {
      for (const flight of reach.flights) flights.push(flight)
      if (reach.held !== undefined) for (const drop of reach.held.values()) drops.push(drop)
      if (reach.before !== undefined) for (const before of reach.before) reaches.add(before)
    }
    return { flights, drops }
  }

  /** Takes the place of the outer one, in whose scope nothing more can happen. */
  bypass(outer: Reach<Flight>): void {
    const around = outer.outer
    this.outer = around
    if (this.linked) {
      outer.before?.delete(this)
      around?.addBefore(this)
    }
    if (outer.held !== undefined) for (const [held, drop] of outer.held) around?.hold(held, drop)
    outer.held = undefined
    outer.unlink()
  }

  private get after(): ReadonlyArray<Reach<Flight>> {
    return this.outer === undefined ? this.next : [...this.next, this.outer]
  }

  private get empty(): boolean {
    return this.flights.size === 0 && !this.held?.size && !this.before?.size
  }

  private addBefore(reach: Reach<Flight>): void {
    this.before ??= new Set()
    this.before.add(reach)
  }

  private get isLast(): boolean {
    return this.outer === undefined && this.next.length === 0
  }

  private link(): void {
    if (this.isLast) return
    const open: Array<Reach<Flight>> = [this]
    for (const reach of open) {
      if (reach.linked) continue
      reach.linked = true
      for (const after of reach.after) {
        after.addBefore(reach)
        open.push(after)
      }
    }
  }

  private unlink(): void {
    if (!this.linked || !this.empty) return
    const open: Array<Reach<Flight>> = [this]
    for (const reach of open) {
      if (!reach.linked || !reach.empty) continue
      reach.linked = false
      for (const after of reach.after) {
        after.before?.delete(reach)
        open.push(after)
      }
    }
  }
}
