/**
 * One step's intake in one run: takes events, and makes the step runnable with a batch when a round is complete, when
 * everything upstream is quiet, or at the deadline.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import { OutsideScope, type Waiting } from "../../../Errors.ts"
import type { AnyEvent } from "../../../Event.ts"
import type { AnyIntake } from "../../../Intake.ts"
import { unread } from "../../../Unread.ts"
import { drops, inWords, type Node, type Quiet } from "../../graph/graph.ts"
import type { Timer } from "../flow/timers.ts"
import type { Arrival } from "../scope/arrival.ts"
import type { Place } from "../scope/position.ts"
import type { Scope, Watch } from "../scope/scope.ts"
import { Cell, type Left, leftOf } from "./cell.ts"
import { Cells } from "./cells.ts"

/** What a collector needs from its run. */
export interface Dispatch {
  /** Makes the step runnable with a batch; `round` distinguishes empty batches. */
  push(
    node: Node,
    input: unknown,
    scope: Scope,
    place: Place | undefined,
    from: ReadonlyArray<Arrival>,
    round: number
  ): void
  /** An event will never be used. */
  raced(node: Node, id: string | undefined): void
  now(): number
  /** Runs a function in the ambient context in which the run was started. */
  inContext<A>(work: () => A): A
  /**
   * Calls back when `millis` have passed since an event has come; until then something can still happen at the step. `unwanted`
   * is asked when a race downstream has been decided.
   */
  after(
    node: Node,
    first: Arrival,
    millis: number,
    then: () => void,
    cancelled: () => void,
    unwanted: () => boolean
  ): Timer
  /**
   * A race has been decided: `take` removes the winning events, and returns a function that makes its step runnable.
   */
  decided(race: Watch, take: () => () => void): void
  readonly root: Scope
  /** The end of the order of emission, if the graph needs that order. */
  readonly end: Place | undefined
  /** Whether the event alone is enough: there is one scope, and order and ids are not needed. */
  readonly plain: boolean
}

/** How many unwon races a stalled run names. */
const mostLost = 5

export class Collector {
  readonly node: Node
  private readonly intake: AnyIntake
  private readonly within: number | undefined
  private readonly dispatch: Dispatch
  private readonly cells: Cells
  /** Number of races that were over without a winner, and the latest of them. */
  lost = 0
  readonly lastLost: Array<Waiting> = []

  constructor(node: Node, dispatch: Dispatch) {
    this.node = node
    this.intake = node.intake!
    const within = Duration.toMillis(this.intake.within ?? Duration.infinity)
    this.within = Number.isFinite(within) ? within : undefined
    this.dispatch = dispatch
    const timed = this.within !== undefined
    this.cells = new Cells(
      (scope, key) => {
        const cell = new Cell(node.needs!, timed, dispatch.plain, scope, key)
        for (const reach of scope.reaches(node)) reach.hold(cell, (race) => this.drop(cell, race))
        return cell
      },
      (cell) => {
        for (const reach of cell.scope.reaches(node)) reach.letGo(cell)
      }
    )
  }

  /** Takes an event. Throws `OutsideScope` if it is in no scope of the intake's kind. */
  offer(event: AnyEvent, id: string | undefined, scope: Scope, place: Place | undefined): void {
    const { node, intake } = this
    const owner = scope.owners[node.per]
    if (owner === undefined) {
      throw new OutsideScope({ event, intake: node.name, per: intake.per!.tag })
    }
    const watch = node.quiet && owner.watches[node.quiet.index]!
    if (watch?.decided) {
      place?.release()
      this.dispatch.raced(node, id)
      return
    }
    const cell = this.cells.of(owner, intake.by === undefined ? undefined : this.keyOf(event))
    cell.add(event, id, scope, place, this.within === undefined ? undefined : this.dispatch.now())
    watch?.arm()
    if (intake.kind === "gather") return
    if (cell.lacking === 0) {
      if (intake.kind === "race") {
        watch!.decide()
        this.dispatch.decided(watch!, () => this.take(watch!, cell))
      } else this.complete(cell)
    } else if (this.within !== undefined && cell.timer === undefined) this.startTimer(cell)
  }

  private keyOf(event: AnyEvent): unknown {
    const key = this.dispatch.inContext(() => this.intake.by!(event))
    const [a, what] = isPromiseLike(key) ? ["a", "promise"] : Effect.isEffect(key) ? ["an", "Effect"] : []
    if (what === undefined) return key
    unread(key)
    throw new TypeError(
      `its 'by' returned ${a} ${what}, and each ${what} is another key: ` +
        "let an earlier step find the key and emit it as a field of the event"
    )
  }

  /** Everything upstream in a scope is quiet. */
  quiet(watch: Watch): void {
    const { scope } = watch
    if (this.intake.kind === "race") {
      // Nothing else is on its way: make the step runnable at once, before anything around it appears quiet.
      if (!watch.decided && !this.intake.single) this.take(watch, this.cells.of(scope, undefined))()
      return
    }
    const cell = this.cells.in(scope)[0]
    const round = cell?.takeInOrder()
    if (cell !== undefined) this.cells.forget(cell)
    const place = round?.place ?? this.emptyPlace(watch)
    this.dispatch.push(this.node, round?.events ?? [], scope, place, round?.from ?? [], watch.rounds)
    watch.rounds++
  }

  /** The position of an empty batch: after everything that its scope emitted directly, round by round. */
  private emptyPlace({ end }: Watch): Place | undefined {
    // A deadline may come back to a scope that was over: then any position after all emissions will do.
    return (end ?? this.dispatch.end)?.before()
  }

  /** Registers an undecided race of a scope, so a stall can report it. */
  open(scope: Scope): void {
    if (this.intake.kind === "race") this.cells.of(scope, undefined)
  }

  /** Nothing can come in a scope any more: an unwon race there stops waiting. */
  close(scope: Scope): void {
    const [cell] = this.cells.in(scope)
    if (cell === undefined) return
    this.lost++
    if (this.lastLost.push(this.lineOf(cell)) > mostLost) this.lastLost.shift()
    this.cells.forget(cell)
  }

  /** What it has and needs, non-empty intakes first. */
  waiting(): ReadonlyArray<Waiting> {
    const cells = [...this.cells.all()]
    if (cells.length === 0 && this.node.per === 0 && this.node.quiet === undefined && this.intake.by === undefined) {
      cells.push(new Cell(this.node.needs!, false, false, this.dispatch.root, undefined))
    }
    return cells.map((cell) => this.lineOf(cell))
  }

  private lineOf(cell: Cell): Waiting {
    return {
      step: this.node.name,
      intake: inWords(this.intake),
      per: this.node.per === 0 ? undefined : cell.scope.opener?.event,
      key: cell.key,
      has: cell.has(),
      needs: cell.needs()
    }
  }

  /** Runs the step with one round of a join or a collect: complete, or at the deadline with what has come. */
  private complete(cell: Cell): void {
    const { timer } = cell
    cell.timer = undefined
    const { events, scope, place, from } = cell.take()
    if (cell.empty) this.cells.forget(cell)
    this.dispatch.push(this.node, events, scope, place, from, 0)
    if (this.within !== undefined && !cell.empty) this.startTimer(cell)
    // Not before: until the batch is on its way, the deadline is what a gather further on waits for.
    timer?.cancel()
  }

  /** Removes the winning events of a race, once per scope, and returns a function that makes its step runnable. */
  private take(watch: Watch, cell: Cell): () => void {
    watch.decide()
    const { events, place = this.emptyPlace(watch), from } = cell.take()
    this.cells.forget(cell)
    const input = this.intake.single ? events[0] : events
    return () => this.dispatch.push(this.node, input, watch.scope, place, from, 0)
  }

  /**
   * Drops the events of a cell, because a race that it leads to has been decided and no more can come. Its timer is
   * cancelled with everything else on its way there.
   */
  private drop(cell: Cell, race: Quiet): void {
    if (!drops(race, this.node)) return
    for (const { id } of cell.clear()) this.dispatch.raced(this.node, id)
    this.cells.forget(cell)
  }

  /** The leftover events. */
  left(): ReadonlyArray<Left> {
    return this.cells.all().flatMap((cell) => leftOf(this.node, cell))
  }

  private startTimer(cell: Cell): void {
    const left = Math.max(0, cell.since + this.within! - this.dispatch.now())
    // The batch will run in the scope of its events, which may be deeper than the cell's.
    let timer: Timer | undefined
    const over = () => {
      // What is left over may have a deadline of its own by now.
      if (cell.timer === timer) cell.timer = undefined
    }
    const fired = () => {
      over()
      this.complete(cell)
    }
    timer = this.dispatch.after(this.node, cell.emissions()[0]!, left, fired, over, () => cell.empty)
    cell.timer = timer
  }
}
