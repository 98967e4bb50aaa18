/**
 * What descends from one event, and when it has gone quiet.
 *
 * A scope keeps, for each `gather` and `race` that is kept for its kind, how much is in flight at the steps upstream of it.
 * Emissions are delivered before the invocation that made them is counted out, so the count reaches 0 only when no event
 * can come any more.
 */
import type { AnyEvent } from "../../Event.ts"
import type { Graph, Node, Quiet } from "../graph/graph.ts"
import type { Place } from "./place.ts"

/** Something on its way that a `race` can call off. */
export interface Flight {
  cancel(): void
}

/** How things stand for one `gather` or `race` in one scope. */
export class Watch {
  inFlight = 0
  /** Whether anything has happened that belongs to its next round. */
  armed = false
  /** Whether a race has been run, or a gather's rounds counted. */
  decided = false
  rounds = 0
  /** What is in flight, where a race may have to call it off. */
  readonly flights: Set<Flight> | undefined

  constructor(quiet: Quiet) {
    this.flights = quiet.node.intake?.kind === "race" ? new Set() : undefined
  }
}

export class Scope {
  readonly kind: number
  readonly parent: Scope | undefined
  readonly depth: number
  /** The event that opened it; the run's own scope has none. */
  readonly opener: AnyEvent | undefined
  readonly place: Place
  /** The nearest scope of each kind around what is inside, this one included. */
  readonly owners: ReadonlyArray<Scope | undefined>
  /** By the index of the intake; only those kept for this kind of scope have one. */
  readonly watches: ReadonlyArray<Watch | undefined>

  constructor(graph: Graph, kind: number, parent: Scope | undefined, opener: AnyEvent | undefined, place: Place) {
    this.kind = kind
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.opener = opener
    this.place = place
    if (graph.kinds.length === 1) this.owners = [this]
    else {
      const owners: Array<Scope | undefined> =
        parent === undefined ? graph.kinds.map(() => undefined) : [...parent.owners]
      owners[kind] = this
      this.owners = owners
    }
    const watches: Array<Watch | undefined> = []
    for (const quiet of graph.quiets) if (quiet.kind === kind) watches[quiet.index] = new Watch(quiet)
    this.watches = watches
  }

  /** The deepest scope that both are inside of. */
  static shared(a: Scope, b: Scope): Scope {
    let left = a
    let right = b
    while (left !== right) {
      if (left.depth >= right.depth) left = left.parent!
      else right = right.parent!
    }
    return left
  }
}

/** Counts what is in flight, and says which intakes have gone quiet. Each call costs O(1) for each intake downstream. */
export class Quietness {
  private readonly graph: Graph
  /** Called when everything upstream of an intake has gone quiet, for each that has, in the order of the graph. */
  private readonly onQuiet: (quiet: Quiet, scope: Scope, watch: Watch) => void

  constructor(graph: Graph, onQuiet: (quiet: Quiet, scope: Scope, watch: Watch) => void) {
    this.graph = graph
    this.onQuiet = onQuiet
  }

  /** Something is on its way to a step or runs there. */
  enter(node: Node, scope: Scope, flight: Flight): void {
    for (const { quiet, arms } of node.feeds) {
      const watch = scope.owners[quiet.kind]?.watches[quiet.index]
      if (watch === undefined) continue
      watch.inFlight++
      if (arms) watch.armed = true
      watch.flights?.add(flight)
    }
  }

  /** It has ended, and what it emitted has been delivered. */
  leave(node: Node, scope: Scope, flight: Flight): void {
    const { feeds } = node
    // All are counted down before any fires: what fires first may be work for the next.
    for (const { quiet } of feeds) {
      const watch = scope.owners[quiet.kind]?.watches[quiet.index]
      if (watch === undefined) continue
      watch.inFlight--
      watch.flights?.delete(flight)
    }
    for (const { quiet } of feeds) this.check(quiet, scope.owners[quiet.kind])
  }

  /** Keeps the intakes of a scope from firing while the event that opens it is delivered. */
  hold(scope: Scope): void {
    for (const watch of scope.watches) if (watch !== undefined) watch.inFlight++
  }

  release(scope: Scope): void {
    for (const watch of scope.watches) if (watch !== undefined) watch.inFlight--
    for (const quiet of this.graph.quiets) if (quiet.kind === scope.kind) this.check(quiet, scope)
  }

  private check(quiet: Quiet, scope: Scope | undefined): void {
    const watch = scope?.watches[quiet.index]
    if (watch?.inFlight === 0 && watch.armed) this.onQuiet(quiet, scope!, watch)
  }
}
