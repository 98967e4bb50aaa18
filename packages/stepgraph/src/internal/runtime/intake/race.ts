/**
 * A race: its step runs once in each scope, with the first that come; `scope/races.ts` then cancels what else is on its way.
 */
import type { Waiting } from "../../../Errors.ts"
import type { Node } from "../../graph/graph.ts"
import type { Scope, Watch } from "../scope/scope.ts"
import { type Cell, waitingOf } from "./cell.ts"
import type { Cells } from "./cells.ts"
import type { Dispatch } from "./dispatch.ts"

/** How many of the races that nobody has won a stalled run still names. */
const mostLost = 5

export class Race {
  /** How many races nobody has won though nothing could come any more, and the last of them. */
  lost = 0
  readonly lastLost: Array<Waiting> = []
  private readonly node: Node
  private readonly run: Dispatch
  private readonly cells: Cells

  constructor(node: Node, run: Dispatch, cells: Cells) {
    this.node = node
    this.run = run
    this.cells = cells
  }

  /** Makes an undecided race known for a scope, so that it can be asked what the run waits for. */
  open(scope: Scope): void {
    this.cells.of(scope, undefined)
  }

  /** An event has come into a cell. */
  came(cell: Cell, watch: Watch): void {
    if (cell.lacking > 0) return
    watch.decide()
    this.run.scopes.decided(watch, () => this.take(watch, cell))
  }

  /** Everything upstream has gone quiet in a scope: there is no other who could win. */
  onQuiescence(watch: Watch): void {
    // Nothing else is on its way: the step is runnable at once, before anything around it looks quiet.
    if (!watch.decided && !this.node.intake!.single) this.take(watch, this.cells.of(watch.scope, undefined))()
  }

  /** Nothing can come in a scope any more: a race that nobody has won there waits no longer. */
  close(scope: Scope): void {
    const [cell] = this.cells.in(scope)
    if (cell === undefined) return
    this.lost++
    if (this.lastLost.push(waitingOf(this.node, cell)) > mostLost) this.lastLost.shift()
    this.cells.forget(cell)
  }

  /** Takes out what decides a race, once in its scope, and gives what makes its step runnable. */
  private take(watch: Watch, cell: Cell): () => void {
    watch.decide()
    const { events, position = this.run.scopes.behind(watch), from } = cell.take()
    this.cells.forget(cell)
    const input = this.node.intake!.single ? events[0] : events
    return () => this.run.router.push(this.node, input, watch.scope, position, from, 0)
  }
}
