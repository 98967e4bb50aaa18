/**
 * All scopes of a run: counts the flights in each, and draws the consequences when one ends.
 */
import type { AnyEvent } from "../../../Event.ts"
import type { CompiledGraph, Node } from "../../graph/graph.ts"
import type { Needs } from "../../graph/needs.ts"
import { type Closing, Lifetime } from "./lifetime.ts"
import { Outside, Parking } from "./parking.ts"
import { Position } from "./position.ts"
import { type OnQuiescence, Quiescence } from "./quiescence.ts"
import { Races } from "./races.ts"
import { type Flight, Scope, type Watch } from "./scope.ts"

/** The owner of data kept per scope. */
export interface Kept extends Closing, OnQuiescence {
  /** A scope has been opened: creates the data of its kind. */
  open(scope: Scope): void
}

export class Scopes {
  readonly root: Scope
  /** The end of the order of emission, if the graph needs that order. */
  readonly end: Position | undefined
  private readonly graph: CompiledGraph
  private readonly kept: Kept
  private readonly quiescence: Quiescence
  private readonly races: Races
  private readonly outside: Outside | undefined
  private readonly lifetime: Lifetime
  /** Flights that ended while events were being delivered: they are left once all of those have been. */
  private ended: Array<Flight> | undefined

  constructor(graph: CompiledGraph, kept: Kept) {
    this.graph = graph
    this.kept = kept
    this.quiescence = new Quiescence(kept)
    this.races = new Races(this.quiescence)
    this.root = new Scope(graph, 0, undefined, undefined)
    this.outside = graph.scopeless ? new Outside(this.root, this.quiescence) : undefined
    this.lifetime = new Lifetime(this.root, kept)
    this.end = graph.ordered ? Position.end() : undefined
  }

  /** Opens the run's own scope at the start event's `position`. In use until `release`. */
  openRoot(position: Position | undefined): void {
    this.hold(this.root, position)
  }

  /** Opens a scope inside another at the opening event's `position`. In use until `release`. */
  open(kind: number, around: Scope, event: AnyEvent, id: string | undefined, position: Position | undefined): Scope {
    const scope = new Scope(this.graph, kind, around.isNone ? this.root : around, { event, id })
    this.hold(scope, position)
    return scope
  }

  private hold(scope: Scope, position: Position | undefined): void {
    this.quiescence.hold(scope)
    if (position !== undefined) scope.reserve(position)
    this.kept.open(scope)
  }

  /** The event that opens a scope has been delivered. */
  release(scope: Scope): void {
    this.quiescence.release(scope)
  }

  /** The scope of inputs. */
  get none(): Scope {
    return this.outside?.none ?? this.root
  }

  openInputs(): void {
    this.outside?.openInputs()
    this.quiescence.openInputs(this.root)
  }

  closeInputs(): void {
    this.quiescence.atOnce(() => {
      this.outside?.closeInputs()
      this.quiescence.closeInputs(this.root)
    })
  }

  /** For a cell whose events can count as on their way. */
  parkingOf(node: Node, { slots }: Needs, timed: boolean): Parking | undefined {
    if (!node.parks || this.outside === undefined) return undefined
    // A `collect` has one slot for all of its types.
    const routesOf = (tag: string) =>
      node.intake?.kind === "collect" ? node.accepts : node.accepts.filter((route) => route.tag === tag)
    const bays = slots.map(({ tag, needed }) => ({ needed, routes: routesOf(tag) }))
    return new Parking(node, bays, timed, this.outside)
  }

  /** The steps whose gathers wait for nothing but the end of the inputs. */
  waitingForInputs(): ReadonlyArray<Node> {
    return this.quiescence.waitingForInputs(this.root).map(({ node }) => node)
  }

  /** An event has come to a step, or to its intake. */
  come(node: Node, scope: Scope): void {
    this.quiescence.come(node, scope)
  }

  /** Whether anything waits for a flight's end: an intake downstream, or a scope that may then be over. */
  counts({ node, scope }: Flight): boolean {
    return node.feeds.length > 0 || scope !== this.root
  }

  enter(flight: Flight): void {
    this.quiescence.enter(flight)
    if (this.outside !== undefined && flight.scope.isNone) this.outside.enter(flight)
  }

  /** A flight has ended without effect. */
  leave(flight: Flight): void {
    const { outside, quiescence } = this
    if (outside === undefined || !flight.scope.isNone) quiescence.leave(flight)
    else {
      quiescence.atOnce(() => {
        quiescence.leave(flight)
        outside.leave(flight)
      })
    }
  }

  /** A flight has ended without effect, in the middle of a delivery. */
  leaveLater(flight: Flight): void {
    this.ended ??= []
    this.ended.push(flight)
  }

  private leaveEnded(): void {
    const { ended } = this
    if (ended === undefined) return
    this.ended = undefined
    this.quiescence.atOnce(() => {
      for (const flight of ended) this.leave(flight)
    })
    this.races.settle()
  }

  /** Work in no scope continues in this scope, because it received an event from it. */
  moveInto(scope: Scope, flight: Flight & { scope: Scope }): void {
    this.quiescence.atOnce(() => {
      this.leave(flight)
      flight.scope = scope
      this.enter(flight)
    })
  }

  /** The position of an empty batch: after everything that its scope emitted directly, round by round. */
  behind({ end }: Watch): Position | undefined {
    // A deadline may return to a scope that was over: any new position is after everything emitted there.
    return (end ?? this.end)?.before()
  }

  /** A race has been decided: `take` removes the events that decided it, and returns a function that makes its step runnable. */
  decided(race: Watch, take: () => () => void): void {
    this.races.decided(race, take)
  }

  /** All events emitted together have been delivered. */
  decideRaces(): void {
    this.races.settle()
    this.leaveEnded()
  }

  /**
   * Concludes one activation, in which a flight may have ended: runs the decided races, fires quiet intakes, and releases
   * scopes that are over.
   */
  conclude(ended: Flight | undefined): void {
    this.decideRaces()
    if (ended !== undefined && this.counts(ended)) {
      this.leave(ended)
      this.races.settle()
    }
    this.lifetime.letGo()
  }
}
