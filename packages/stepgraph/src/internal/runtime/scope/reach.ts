/**
 * What stands on the way to the races of one group in one scope: what may have to go once one of them has been decided there.
 */
import type { Quiet } from "../../graph/graph.ts"

/** Drops what is held, as a race that it leads to has been decided, unless the race leaves it. */
export type Drop = (race: Quiet) => void

export class Reach<Flight> {
  /** What is in flight here, but neither at a group before this one nor in a scope nested in this one. */
  private readonly flights = new Set<Flight>()
  /** The half-filled intakes here and the gathers that have a round to come, each with what drops it. */
  private held: Map<object, Drop> | undefined
  /** Those of the groups before it, and of the nested scopes, that are not empty. */
  private before: Set<Reach<Flight>> | undefined
  /** Those of the next groups, and of the scope around: what stands on the way to this one stands on the way to them. */
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

  /** All of it; without recursion, as scopes may be nested thousands deep. */
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

  /** Takes the place of the one around it, in whose scope nothing can happen any more. */
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
