/**
 * A join or a collect: its step runs whenever a round is complete, or at its `within` deadline with the events so far.
 */
import type { Node } from "../../graph/graph.ts"
import type { Cell } from "./cell.ts"
import type { Cells } from "./cells.ts"
import type { Dispatch, Timer } from "./dispatch.ts"

export class Join {
  private readonly node: Node
  private readonly within: number | undefined
  private readonly run: Dispatch
  private readonly cells: Cells

  constructor(node: Node, within: number | undefined, run: Dispatch, cells: Cells) {
    this.node = node
    this.within = within
    this.run = run
    this.cells = cells
  }

  /** An event has come into a cell. */
  came(cell: Cell): void {
    if (cell.lacking === 0) this.complete(cell)
    else if (this.within !== undefined && cell.timer === undefined) this.startTimer(cell)
  }

  /** Runs the step with one round: complete, or at the deadline with the events so far. */
  private complete(cell: Cell): void {
    const { timer } = cell
    cell.timer = undefined
    const { events, scope, position, from } = cell.take()
    if (cell.empty) this.cells.forget(cell)
    this.run.router.push(this.node, events, scope, position, from, 0)
    cell.parking?.gone()
    if (this.within !== undefined && !cell.empty) this.startTimer(cell)
    // Not before: until the batch is on its way, a gather downstream waits for the deadline.
    timer?.cancel()
  }

  private startTimer(cell: Cell): void {
    const { timers } = this.run
    const left = Math.max(0, cell.since + this.within! - timers.now())
    let timer: Timer | undefined
    const over = () => {
      // The remaining events may have a new deadline.
      if (cell.timer === timer) cell.timer = undefined
    }
    const fired = () => {
      over()
      this.complete(cell)
    }
    // The batch will run in the scope of its events, which may be deeper than the cell's.
    timer = timers.after(this.node, cell.arrivals()[0]!, left, fired, over, () => cell.empty)
    cell.timer = timer
  }
}
