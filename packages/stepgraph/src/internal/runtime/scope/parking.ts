/**
 * Events that intakes hold and inputs can complete. They count as on their way: gathers and races downstream wait for them.
 *
 * A cell's `Parking` knows what each round has, and in which scope. `Outside` knows what can still come from outside. A round is
 * checked when an event is added to it, and again after the inputs are closed, so a delivery costs O(1) however much is parked.
 */
import { comingFrom } from "../../graph/from-outside.ts"
import type { Node, Route } from "../../graph/graph.ts"
import type { Parked, Quiescence } from "./quiescence.ts"
import { type Flight, type GroupWatch, Scope } from "./scope.ts"

/** A slot of a round: how many events it needs, and the routes that they come on. */
export interface Bay {
  readonly needed: number
  readonly routes: ReadonlyArray<Route>
}

/** One round that counts as on its way, in the scope in which it would run. */
class ParkedRound implements Parked {
  readonly node: Node
  readonly scope: Scope
  readonly underWay = false
  watches: ReadonlyArray<GroupWatch> = []
  private readonly quiescence: Quiescence

  constructor(node: Node, scope: Scope, quiescence: Quiescence) {
    this.node = node
    this.scope = scope
    this.quiescence = quiescence
  }

  /** A race downstream was decided. The intake keeps its events, as an input can still complete them. */
  cancel(): void {
    this.quiescence.recheck(this)
  }
}

/** The events of one round so far. */
class Round {
  readonly counts: Array<number>
  /** The deepest scope that contains all of its events that have a scope. */
  scope: Scope | undefined
  parked: ParkedRound | undefined

  constructor(bays: number) {
    this.counts = new Array<number>(bays).fill(0)
  }
}

/** The events that can still come from outside. */
export class Outside {
  /** The scope of events that have none. */
  readonly none: Scope
  readonly quiescence: Quiescence
  private readonly root: Scope
  private open = false
  /** Number of flights in no scope, by step. */
  private readonly flights = new Map<Node, number>()
  /** Once the inputs are closed: the events that flights in no scope can still lead to. */
  private left: ReadonlySet<Route> | undefined
  private readonly parkings = new Set<Parking>()

  constructor(root: Scope, quiescence: Quiescence) {
    this.root = root
    this.none = Scope.none(root)
    this.quiescence = quiescence
  }

  enter({ node }: Flight): void {
    this.flights.set(node, (this.flights.get(node) ?? 0) + 1)
  }

  leave({ node }: Flight): void {
    const left = this.flights.get(node)! - 1
    if (left > 0) this.flights.set(node, left)
    else {
      this.flights.delete(node)
      if (this.left !== undefined) this.lookAgain()
    }
  }

  openInputs(): void {
    this.open = true
  }

  closeInputs(): void {
    this.open = false
    this.lookAgain()
  }

  private lookAgain(): void {
    this.left = comingFrom(this.flights.keys())
    for (const parking of this.parkings) parking.lookAgain()
  }

  /** The scope in which a round would run; undefined if something that it lacks cannot come from outside. */
  scopeOf(scope: Scope, lacking: ReadonlyArray<Bay>): Scope | undefined {
    let found = scope
    for (const { routes } of lacking) {
      if (routes.some((route) => (this.open ? route.sent === "in no scope" : this.left?.has(route)))) continue
      if (!this.open || routes.every(({ sent }) => sent === "never")) return undefined
      // It can only come in a scope, or in the run's own.
      found = this.root
    }
    return found
  }

  keep(parking: Parking): void {
    this.parkings.add(parking)
  }

  forget(parking: Parking): void {
    this.parkings.delete(parking)
  }
}

/** The rounds of one cell. */
export class Parking {
  private readonly node: Node
  private readonly bays: ReadonlyArray<Bay>
  /** Whether the cell has a deadline, so that each of its rounds will run. */
  private readonly timed: boolean
  private readonly outside: Outside
  /** By number, from `first` on. */
  private readonly rounds = new Map<number, Round>()
  private first = 0
  /** How many events have come to each bay; those missing from a round that a deadline ended count as come. */
  private readonly come: Array<number>
  private taken: Round | undefined

  constructor(node: Node, bays: ReadonlyArray<Bay>, timed: boolean, outside: Outside) {
    this.node = node
    this.bays = bays
    this.timed = timed
    this.outside = outside
    this.come = bays.map(() => 0)
  }

  add(bay: number, scope: Scope): void {
    const number = Math.floor(this.come[bay]!++ / this.bays[bay]!.needed)
    let round = this.rounds.get(number)
    if (round === undefined) {
      if (this.rounds.size === 0) this.outside.keep(this)
      round = new Round(this.bays.length)
      this.rounds.set(number, round)
    }
    round.counts[bay]!++
    if (!scope.isNone) round.scope = round.scope === undefined ? scope : Scope.shared(round.scope, scope)
    this.look(round)
  }

  /** The first round was taken out. It stays on its way until `gone`. */
  take(): void {
    this.taken = this.rounds.get(this.first)
    this.rounds.delete(this.first++)
    if (this.rounds.size === 0) this.outside.forget(this)
    for (const [bay, { needed }] of this.bays.entries()) {
      this.come[bay] = Math.max(this.come[bay]!, this.first * needed)
    }
  }

  /** The round taken out has been delivered to the step. */
  gone(): void {
    const { taken } = this
    this.taken = undefined
    if (taken !== undefined) this.move(taken, undefined)
  }

  /** Fewer events can come from outside than before. */
  lookAgain(): void {
    for (const round of this.rounds.values()) this.look(round)
  }

  private look(round: Round): void {
    const { scope } = round
    const lacking = this.bays.filter(({ needed }, bay) => round.counts[bay]! < needed)
    // A complete round is about to be taken out.
    if (scope === undefined || lacking.length === 0) return
    this.move(round, this.timed ? scope : this.outside.scopeOf(scope, lacking))
  }

  private move(round: Round, scope: Scope | undefined): void {
    const { parked } = round
    if (parked?.scope === scope) return
    const { quiescence } = this.outside
    round.parked = scope && new ParkedRound(this.node, scope, quiescence)
    // The new scope first: scopes around both must not go quiet in between.
    if (round.parked !== undefined) quiescence.park(round.parked)
    if (parked !== undefined) quiescence.unpark(parked)
  }
}
