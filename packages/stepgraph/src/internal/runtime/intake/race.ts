/**
 * A race: its step runs once in each scope, with the first events; `scope/races.ts` then cancels all others on their way.
 */
import type { Waiting } from "../../../Errors.ts"
import type { Node } from "../../graph/graph.ts"
import type { Scope, Watch } from "../scope/scope.ts"
import { type Cell, waitingOf } from "./cell.ts"
import type { Cells } from "./cells.ts"
import type { Dispatch } from "./dispatch.ts"

/** Maximum number of undecided races that the error of a stalled run names. */
const mostLost = 5

export class Race {
  /** The races that can no longer be won: how many, and the last of them. */
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

  /** Creates an undecided race for a scope, so that `status` can list it. */
  open(scope: Scope): void {
    this.cells.of(scope, undefined)
  }

  /** An event has come into a cell. */
  came(cell: Cell, watch: Watch): void {
    if (cell.lacking > 0) return
    watch.decide()
    this.run.scopes.decided(watch, () => this.take(watch, cell))
  }

  /** Everything upstream is quiet in a scope: nothing else can win. */
  onQuiescence(watch: Watch): void {
    // Nothing else is on its way, so make the step runnable at once, before anything around it looks quiet.
    if (!watch.decided && !this.node.intake!.single) this.take(watch, this.cells.of(watch.scope, undefined))()
  }

  /** Nothing can come in a scope any more: an undecided race there stops waiting. */
  close(scope: Scope): void {
    const [cell] = this.cells.in(scope)
    if (cell === undefined) return
    this.lost++
    if (this.lastLost.push(waitingOf(this.node, cell)) > mostLost) this.lastLost.shift()
    this.cells.forget(cell)
  }

  /** Removes the events that decide a race, once in its scope, and returns a function that makes its step runnable. */
  private take(watch: Watch, cell: Cell): () => void {
    watch.decide()
    const { events, position = this.run.scopes.behind(watch), from } = cell.take()
    this.cells.forget(cell)
    const input = this.node.intake!.single ? events[0] : events
    return () => this.run.router.push(this.node, input, watch.scope, position, from, 0)
  }
}
