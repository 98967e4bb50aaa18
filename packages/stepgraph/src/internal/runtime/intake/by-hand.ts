/**
 * `ctx.collect`: events that a step without an intake keeps by hand.
 */
import type { Waiting } from "../../../Errors.ts"
import type { AnyEvent, Defs } from "../../../Event.ts"
import { show } from "../../../Show.ts"
import { drops, intakeText, type Node, type Quiescent } from "../../graph/graph.ts"
import { needsOf } from "../../graph/needs.ts"
import type { Delivery } from "../scope/delivery.ts"
import { Cell, type Left, leftOf } from "./cell.ts"
import type { Dispatch } from "./dispatch.ts"

/** The events kept for one list of types. */
interface Kept {
  readonly cell: Cell
  readonly defs: Defs
  readonly tags: ReadonlySet<string>
  /** Number of changes to its events. */
  changes: number
}

/** The result of collecting, as of the moment when an attempt asked. */
export interface Look {
  readonly events: ReadonlyArray<AnyEvent> | undefined
  /** Whether the result may have changed since. */
  readonly stale: () => boolean
}

const nameOf = (defs: Defs): string => JSON.stringify(defs.map(({ tag }) => tag))

const isSame = (a: Defs, b: Defs): boolean => a.length === b.length && a.every((def, index) => def === b[index])

const notDefinitions = (given: unknown): TypeError =>
  new TypeError(
    `ctx.collect takes a list of what defineEvent returned, such as ctx.collect([A, B]), not ${show(given)}`
  )

/** The collections of one step in one run, one for each list. */
export class HandCollector {
  private readonly node: Node
  private readonly run: Dispatch
  private readonly kept = new Map<string, Kept>()
  /** Most steps use one list, which is then found without its tags. */
  private last: Kept | undefined
  /** The result for each invocation: a repeated call, or another attempt, does not add its event again. */
  private readonly taken = new WeakMap<Delivery, Map<Kept, ReadonlyArray<AnyEvent> | undefined>>()

  constructor(node: Node, run: Dispatch) {
    this.node = node
    this.run = run
  }

  offer(delivery: Delivery, defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    let list = this.last
    if (list === undefined || !Array.isArray(defs) || !isSame(list.defs, defs)) {
      if (this.nothingIn(defs)) return []
      list = this.keptFor(defs)
      this.last = list
    }
    let taken = this.taken.get(delivery)
    if (taken === undefined) {
      taken = new Map()
      this.taken.set(delivery, taken)
    }
    if (!taken.has(list)) taken.set(list, this.add(delivery, list))
    return taken.get(list)
  }

  /** The result that `offer` would give now. Keeps nothing: `offer` does, once a host lets the call enter. */
  look(delivery: Delivery, defs: Defs): Look {
    if (this.nothingIn(defs)) return { events: [], stale: () => false }
    const known = () => this.kept.get(nameOf(defs))
    const list = known() ?? this.makeKept(defs)
    const taken = this.taken.get(delivery)
    if (taken?.has(list)) return { events: taken.get(list), stale: () => false }
    const event = delivery.input as AnyEvent
    if (!list.tags.has(event._tag)) return { events: undefined, stale: () => false }
    const { changes } = list
    const events = list.cell.completedBy(event)
    return {
      events,
      // One that got nothing would still get nothing, however many others have come, until its own event completes a round.
      stale: () =>
        events === undefined ? known()?.cell.lacksOnly(event) === true : (known()?.changes ?? 0) !== changes
    }
  }

  /** Throws if a list cannot be collected. */
  private nothingIn(defs: Defs): boolean {
    if (this.node.intake !== undefined) {
      throw new TypeError(
        `ctx.collect is for steps that accept one event at a time, and '${this.node.name}' accepts ${intakeText(this.node.intake)}`
      )
    }
    if (!Array.isArray(defs)) throw notDefinitions(defs)
    const other = defs.findIndex((def: unknown) => typeof def !== "function" || !("tag" in def))
    if (other >= 0) throw notDefinitions(defs[other])
    return defs.length === 0
  }

  private keptFor(defs: Defs): Kept {
    const all = this.kept
    const list = nameOf(defs)
    let kept = all.get(list)
    if (kept === undefined) {
      kept = this.makeKept(defs)
      const made = kept
      for (const reach of this.run.scopes.root.reaches(this.node)) {
        reach.hold(made.cell, (race) => this.drop(made, race))
      }
      all.set(list, made)
    }
    return kept
  }

  private makeKept(defs: Defs): Kept {
    const { node } = this
    const tags = defs.map(({ tag }) => tag)
    const accepted = new Set(node.accepts.map(({ tag }) => tag))
    const unknown = tags.find((tag) => !accepted.has(tag))
    if (unknown !== undefined) {
      throw new TypeError(
        `ctx.collect waits for '${unknown}', but step '${node.name}' does not accept it: add '${unknown}' to its 'accepts'`
      )
    }
    const needs = needsOf({ kind: "join", events: defs, count: undefined })
    // The list is kept for the run, whatever the scope of its events.
    const { scopes } = this.run
    const cell = new Cell(needs, false, false, scopes.root, undefined, scopes.parkingOf(node, needs, false))
    // The list belongs to the step, which may change it.
    return { cell, defs: [...defs], tags: new Set(tags), changes: 0 }
  }

  private add(delivery: Delivery, list: Kept): ReadonlyArray<AnyEvent> | undefined {
    const { cell, tags } = list
    const event = delivery.input as AnyEvent
    if (!tags.has(event._tag)) return undefined
    list.changes++
    // The invocation keeps its own position, because it is the one that emits.
    cell.add(event, delivery.events?.[0], delivery.scope, undefined)
    if (delivery.cancelled) this.dropDecided(list)
    if (cell.lacking > 0) return undefined
    const { events, scope } = cell.take()
    // Its emissions from now on descend from all of them.
    if (delivery.scope.isNone && !scope.isNone) this.run.scopes.moveInto(scope, delivery)
    cell.parking?.gone()
    return events as ReadonlyArray<AnyEvent>
  }

  /** Drops the events of a cell, because a race that it leads to has been decided and no more can come. */
  private drop(list: Kept, race: Quiescent): void {
    if (!drops(race, this.node)) return
    list.changes++
    for (const { id } of list.cell.clear()) this.run.recorder?.dropped({ node: this.node, events: [id!] }, "raced")
  }

  /** A host let a call enter after a race had cancelled it: its event goes the way of those that were held by then. */
  private dropDecided(list: Kept): void {
    const { root } = this.run.scopes
    for (const group of this.node.feeds) {
      for (const { decided, quiescent } of root.groupOf(group)?.members ?? []) if (decided) this.drop(list, quiescent)
    }
  }

  left(): ReadonlyArray<Left> {
    return [...this.kept.values()].flatMap(({ cell }) => leftOf(this.node, cell))
  }

  waiting(): ReadonlyArray<Waiting> {
    return [...this.kept.values()]
      .filter(({ cell }) => !cell.empty)
      .map(({ cell, defs }) => ({
        step: this.node.name,
        intake: `ctx.collect([${defs.map(({ tag }) => tag).join(", ")}])`,
        per: undefined,
        key: undefined,
        has: cell.has(),
        needs: cell.needs()
      }))
  }
}
