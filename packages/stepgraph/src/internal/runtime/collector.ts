/**
 * One step's intake in one run: takes events in, and makes the step runnable with a batch when one is whole, when everything
 * upstream has gone quiet, or when its time is over.
 */
import * as Duration from "effect/Duration"
import * as Ref from "effect/Ref"
import { OutsideScope, type Waiting } from "../../Errors.ts"
import type { AnyEvent } from "../../Event.ts"
import type { AnyIntake } from "../../Intake.ts"
import { inWords, type Node } from "../graph/graph.ts"
import { Cell, type Emission, type Left, leftOf, type Needs, needsOf } from "./cell.ts"
import type { Place } from "./place.ts"
import type { Scope, Watch } from "./scope.ts"
import type { Timer } from "./timers.ts"

/** What a collector needs of its run. */
export interface Dispatch {
  /** Makes the step runnable with a batch; `round` tells batches of nothing apart. */
  push(node: Node, input: unknown, scope: Scope, place: Place, from: ReadonlyArray<Emission>, round: number): void
  /** An event will never be used. */
  raced(node: Node, id: string | undefined): void
  now(): number
  /** Calls back when `millis` have passed; until then something can still happen at the step. */
  after(node: Node, scope: Scope, millis: number, then: () => void, cancelled: () => void): Timer
  /** A race has been decided: `take` takes out what decided it, and gives what makes its step runnable. */
  decided(race: Watch, take: () => () => void): void
  readonly root: Scope
  /** Whether an event says all of its emission: there is one scope, and nobody asks for order or ids. */
  readonly plain: boolean
}

export class Collector {
  readonly node: Node
  private readonly intake: AnyIntake
  private readonly needs: Needs
  private readonly within: number | undefined
  private readonly dispatch: Dispatch
  /** One `Ref` for the step and run; what it holds is changed in place, so that a collection of n costs O(n). */
  private readonly cells: Ref.Ref<Map<Scope, Map<unknown, Cell>>> = Ref.makeUnsafe(new Map())
  private last: Cell | undefined

  constructor(node: Node, dispatch: Dispatch) {
    this.node = node
    this.intake = node.intake!
    this.needs = needsOf(this.intake)
    const within = this.intake.within === undefined ? Number.POSITIVE_INFINITY : Duration.toMillis(this.intake.within)
    this.within = within === Number.POSITIVE_INFINITY ? undefined : within
    this.dispatch = dispatch
  }

  /** Takes in an event. Throws `OutsideScope` where no scope of the intake's kind is around it. */
  offer(event: AnyEvent, id: string | undefined, scope: Scope, place: Place): void {
    const { node, intake } = this
    const owner = scope.owners[node.per]
    if (owner === undefined) {
      throw new OutsideScope({ event, intake: node.name, per: intake.per!.tag })
    }
    const watch = node.quiet && owner.watches[node.quiet.index]!
    if (watch?.decided) {
      this.dispatch.raced(node, id)
      return
    }
    const cell = this.cell(owner, intake.by?.(event))
    cell.add(event, id, scope, place, this.within === undefined ? undefined : this.dispatch.now())
    if (watch !== undefined) watch.armed = true
    if (intake.kind === "gather") return
    if (cell.lacking === 0) {
      if (intake.kind === "race") {
        watch!.decided = true
        this.dispatch.decided(watch!, () => this.take(watch!, cell))
      } else this.complete(cell)
    } else if (this.within !== undefined && cell.timer === undefined) this.startTimer(cell)
  }

  /** Everything upstream has gone quiet in a scope. */
  quiet(watch: Watch): void {
    const { scope } = watch
    if (this.intake.kind === "race") {
      // Nothing else is on its way: the step is runnable at once, before anything around it looks quiet.
      if (!watch.decided && !this.intake.single) this.take(watch, this.cell(scope, undefined))()
      return
    }
    const cells = Ref.getUnsafe(this.cells)
    const round = cells.get(scope)?.get(undefined)?.takeInOrder()
    this.forgetAll(scope)
    const place = round?.place ?? this.emptyPlace(watch)
    this.dispatch.push(this.node, round?.events ?? [], scope, place, round?.from ?? [], watch.rounds)
    watch.rounds++
  }

  /** The place of a batch of nothing: after everything that its scope emitted directly, round by round. */
  private emptyPlace({ scope, rounds }: Watch): Place {
    return scope.place.child(Number.MAX_SAFE_INTEGER - this.node.index).child(rounds)
  }

  /** Makes an undecided race known for a scope, so that a stalled run can name it. */
  open(scope: Scope): void {
    if (this.intake.kind === "race") this.cell(scope, undefined)
  }

  /** What is there and what it waits for, the intakes that hold something first. */
  waiting(): ReadonlyArray<Waiting> {
    const cells = [...Ref.getUnsafe(this.cells).values()].flatMap((keyed) => [...keyed.values()])
    if (cells.length === 0 && this.node.per === 0 && this.node.quiet === undefined && this.intake.by === undefined) {
      cells.push(new Cell(this.needs, false, false, this.dispatch.root, undefined))
    }
    return cells.map((cell) => ({
      step: this.node.name,
      intake: inWords(this.intake),
      per: this.node.per === 0 ? undefined : cell.scope.opener?.event,
      key: cell.key,
      has: cell.has(),
      needs: cell.needs()
    }))
  }

  private cell(scope: Scope, key: unknown): Cell {
    // Most events come to the cell that the last one came to.
    if (this.last?.scope === scope && this.last.key === key) return this.last
    const cells = Ref.getUnsafe(this.cells)
    let keyed = cells.get(scope)
    if (keyed === undefined) {
      keyed = new Map()
      cells.set(scope, keyed)
    }
    let cell = keyed.get(key)
    if (cell === undefined) {
      cell = new Cell(this.needs, this.within !== undefined, this.dispatch.plain, scope, key)
      keyed.set(key, cell)
    }
    this.last = cell
    return cell
  }

  /** Forgets a cell that holds nothing, so that a million keys do not stay. */
  private forget(cell: Cell): void {
    const cells = Ref.getUnsafe(this.cells)
    const keyed = cells.get(cell.scope)
    keyed?.delete(cell.key)
    if (keyed?.size === 0) cells.delete(cell.scope)
    this.last = undefined
  }

  private forgetAll(scope: Scope): void {
    Ref.getUnsafe(this.cells).delete(scope)
    this.last = undefined
  }

  /** Runs the step with one round of a join or a collect: a whole one, or at the deadline what is there. */
  private complete(cell: Cell): void {
    cell.timer?.cancel()
    cell.timer = undefined
    const { events, scope, place, from } = cell.take()
    if (cell.empty) this.forget(cell)
    this.dispatch.push(this.node, events, scope, place!, from, 0)
    if (this.within !== undefined && !cell.empty) this.startTimer(cell)
  }

  /** Takes out what decides a race, once in its scope, and gives what makes its step runnable. */
  private take(watch: Watch, cell: Cell): () => void {
    watch.decided = true
    const { events, place = this.emptyPlace(watch), from } = cell.take()
    this.forget(cell)
    const input = this.intake.single ? events[0] : events
    return () => this.dispatch.push(this.node, input, watch.scope, place, from, 0)
  }

  /** Drops what a gather holds in a scope, as a race that it leads to has been decided there. */
  drop(scope: Scope): void {
    const cells = Ref.getUnsafe(this.cells)
    for (const cell of cells.get(scope)?.values() ?? []) {
      for (const { id } of cell.clear()) this.dispatch.raced(this.node, id)
    }
    this.forgetAll(scope)
  }

  /** What nobody wanted. */
  left(): ReadonlyArray<Left> {
    const cells = [...Ref.getUnsafe(this.cells).values()].flatMap((keyed) => [...keyed.values()])
    return cells.flatMap((cell) => leftOf(this.node, cell))
  }

  private startTimer(cell: Cell): void {
    const left = Math.max(0, cell.since + this.within! - this.dispatch.now())
    // The batch will run in the scope of its events, which may be deeper than the cell's.
    const over = () => {
      cell.timer = undefined
    }
    const fired = () => {
      over()
      this.complete(cell)
    }
    cell.timer = this.dispatch.after(this.node, cell.emissions()[0]!.scope, left, fired, over)
  }
}
