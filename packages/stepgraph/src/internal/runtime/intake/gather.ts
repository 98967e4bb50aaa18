/**
 * A gather: its step runs with all events, in the order of emission, once everything upstream is quiet.
 */
import type { Node } from "../../graph/graph.ts"
import type { Watch } from "../scope/scope.ts"
import type { Cells } from "./cells.ts"
import type { Dispatch } from "./dispatch.ts"

export class Gather {
  private readonly node: Node
  private readonly run: Dispatch
  private readonly cells: Cells

  constructor(node: Node, run: Dispatch, cells: Cells) {
    this.node = node
    this.run = run
    this.cells = cells
  }

  /** Everything upstream is quiet in a scope. */
  onQuiescence(watch: Watch): void {
    const { scope } = watch
    const cell = this.cells.in(scope)[0]
    const round = cell?.takeInOrder()
    if (cell !== undefined) this.cells.forget(cell)
    const position = round?.position ?? this.run.scopes.behind(watch)
    this.run.router.push(this.node, round?.events ?? [], scope, position, round?.from ?? [], watch.rounds)
    watch.rounds++
  }
}
