/**
 * One step's intake in one run: keeps events until `join.ts`, `gather.ts` or `race.ts` has a round for the step.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import { OutsideScope, type Waiting } from "../../../Errors.ts"
import type { AnyEvent } from "../../../Event.ts"
import type { AnyIntake } from "../../../Intake.ts"
import { unread } from "../../../Unread.ts"
import { drops, type Node, type Quiescent } from "../../graph/graph.ts"
import type { Position } from "../scope/position.ts"
import type { Scope, Watch } from "../scope/scope.ts"
import { Cell, type Left, leftOf, waitingOf } from "./cell.ts"
import { Cells, type Owner } from "./cells.ts"
import type { Dispatch } from "./dispatch.ts"
import { Gather } from "./gather.ts"
import { Join } from "./join.ts"
import { Race } from "./race.ts"

export class Collector implements Owner {
  readonly node: Node
  private readonly intake: AnyIntake
  private readonly within: number | undefined
  private readonly run: Dispatch
  private readonly cells: Cells
  // Exactly one of the three is set.
  private readonly join: Join | undefined
  private readonly gather: Gather | undefined
  readonly race: Race | undefined

  constructor(node: Node, run: Dispatch) {
    this.node = node
    this.intake = node.intake!
    const within = Duration.toMillis(this.intake.within ?? Duration.infinity)
    this.within = Number.isFinite(within) ? within : undefined
    this.run = run
    this.cells = new Cells(this)
    const { kind } = this.intake
    this.gather = kind === "gather" ? new Gather(node, run, this.cells) : undefined
    this.race = kind === "race" ? new Race(node, run, this.cells) : undefined
    this.join = kind === "join" || kind === "collect" ? new Join(node, this.within, run, this.cells) : undefined
  }

  make(scope: Scope, key: unknown): Cell {
    const timed = this.within !== undefined
    const parking = this.run.scopes.parkingOf(this.node, this.node.needs!, timed)
    const cell = new Cell(this.node.needs!, timed, this.run.plain, scope, key, parking)
    for (const reach of scope.reaches(this.node)) reach.hold(cell, (race) => this.drop(cell, race))
    return cell
  }

  forgotten(cell: Cell): void {
    for (const reach of cell.scope.reaches(this.node)) reach.letGo(cell)
  }

  /** Takes in an event. Throws `OutsideScope` if no scope of the intake's kind is around it. */
  offer(event: AnyEvent, id: string | undefined, scope: Scope, position: Position | undefined): void {
    const { node, intake } = this
    const owner = scope.owners[node.per]
    if (owner === undefined) {
      throw new OutsideScope({ event, intake: node.name, per: intake.per!.tag })
    }
    const watch = node.quiescent && owner.watches[node.quiescent.index]!
    if (watch?.decided) {
      position?.release()
      this.raced(id)
      return
    }
    const cell = this.cells.of(owner, intake.by === undefined ? undefined : this.keyOf(event))
    cell.add(event, id, scope, position, this.within === undefined ? undefined : this.run.timers.now())
    watch?.arm()
    if (this.join !== undefined) this.join.came(cell)
    else if (this.race !== undefined) this.race.came(cell, watch!)
  }

  private keyOf(event: AnyEvent): unknown {
    const key = this.run.ambient.enter(() => this.intake.by!(event))
    const [a, what] = isPromiseLike(key) ? ["a", "promise"] : Effect.isEffect(key) ? ["an", "Effect"] : []
    if (what === undefined) return key
    unread(key)
    throw new TypeError(
      `its 'by' returned ${a} ${what}, and each ${what} is a different key: ` +
        "let an earlier step find the key and emit it as a field of the event"
    )
  }

  /** Everything upstream in a scope is quiet. */
  onQuiescence(watch: Watch): void {
    if (this.gather !== undefined) this.gather.onQuiescence(watch)
    else this.race!.onQuiescence(watch)
  }

  /** A scope of the intake's kind has been opened. */
  open(scope: Scope): void {
    this.race?.open(scope)
  }

  /** Nothing can come in a scope any more. A gather holds nothing there by now. */
  close(scope: Scope): void {
    this.race?.close(scope)
  }

  /**
   * Drops the events of a cell, because a race that it leads to has been decided and no more can come. Its timer is
   * cancelled with everything else on its way there.
   */
  private drop(cell: Cell, race: Quiescent): void {
    if (!drops(race, this.node)) return
    for (const { id } of cell.clear()) this.raced(id)
    this.cells.forget(cell)
  }

  private raced(id: string | undefined): void {
    this.run.recorder?.dropped({ node: this.node, events: [id!] }, "raced")
  }

  /** The events it holds and those it waits for. */
  waiting(): ReadonlyArray<Waiting> {
    const cells = [...this.cells.all()]
    if (
      cells.length === 0 &&
      this.node.per === 0 &&
      this.node.quiescent === undefined &&
      this.intake.by === undefined
    ) {
      cells.push(new Cell(this.node.needs!, false, false, this.run.scopes.root, undefined))
    }
    return cells.map((cell) => waitingOf(this.node, cell))
  }

  /** The leftover events. */
  left(): ReadonlyArray<Left> {
    return this.cells.all().flatMap((cell) => leftOf(this.node, cell))
  }
}
