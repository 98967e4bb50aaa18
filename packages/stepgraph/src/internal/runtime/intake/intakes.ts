/**
 * All collections of a run: its intakes, and those of `ctx.collect`.
 */
import type { Waiting } from "../../../Errors.ts"
import type { CompiledGraph, Node } from "../../graph/graph.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Scope, Watch } from "../scope/scope.ts"
import type { Kept } from "../scope/scopes.ts"
import { HandCollector } from "./by-hand.ts"
import type { Left } from "./cell.ts"
import { Collector } from "./collector.ts"
import type { Dispatch } from "./dispatch.ts"

export class Intakes implements Kept {
  private readonly graph: CompiledGraph
  private readonly run: Dispatch
  /** By the index of the step. */
  private readonly collectors: ReadonlyArray<Collector | undefined>
  /** By the index of the step, too: replaying a run may create them in another order. */
  private handCollectors: Array<HandCollector | undefined> | undefined

  constructor(graph: CompiledGraph, run: Dispatch) {
    this.graph = graph
    this.run = run
    this.collectors = graph.nodes.map((node) => (node.intake === undefined ? undefined : new Collector(node, run)))
  }

  of(node: Node): Collector | undefined {
    return this.collectors[node.index]
  }

  /** A scope has been opened: creates the data of its kind. */
  open(scope: Scope): void {
    for (const { node } of this.graph.quiescents[scope.kind]!) this.of(node)!.open(scope)
  }

  /** Everything upstream of an intake is quiet. */
  onQuiescence(watch: Watch): void {
    this.of(watch.quiescent.node)!.onQuiescence(watch)
  }

  /** Nothing can happen in a scope any more. */
  close(scope: Scope): void {
    for (const { node } of this.graph.quiescents[scope.kind]!) this.of(node)!.close(scope)
  }

  byHand({ node }: Delivery): HandCollector {
    this.handCollectors ??= this.collectors.map(() => undefined)
    this.handCollectors[node.index] ??= new HandCollector(node, this.run)
    return this.handCollectors[node.index]!
  }

  /** The waiting intakes: the non-empty ones, or if there are none, all that could run. */
  waiting(): ReadonlyArray<Waiting> {
    const holding = this.holding()
    return holding.length > 0 ? holding : this.all().flatMap((collector) => collector.waiting())
  }

  /** The non-empty intakes. */
  holding(): ReadonlyArray<Waiting> {
    const waiting = this.all().flatMap((collector) => collector.waiting())
    return waiting.filter(({ has }) => Object.keys(has).length > 0)
  }

  /** The same for a run that cannot continue: includes races that can no longer be won. */
  stalled(): { readonly waiting: ReadonlyArray<Waiting>; readonly more: number } {
    const waiting = this.waiting()
    if (waiting.some(({ has }) => Object.keys(has).length > 0)) return { waiting, more: 0 }
    const races = this.collectors.flatMap((collector) => collector?.race ?? [])
    const named = races.flatMap(({ lastLost }) => lastLost)
    const lost = races.reduce((sum, race) => sum + race.lost, 0)
    return { waiting: [...waiting, ...named], more: lost - named.length }
  }

  /** The leftover events. */
  left(): ReadonlyArray<Left> {
    return this.all().flatMap((collector) => collector.left())
  }

  private all(): ReadonlyArray<Collector | HandCollector> {
    return [...this.collectors, ...(this.handCollectors ?? [])].filter((collector) => collector !== undefined)
  }
}
