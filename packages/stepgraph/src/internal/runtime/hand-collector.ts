/**
 * `ctx.collect`: what a step that accepts single events keeps by hand.
 */
import * as Ref from "effect/Ref"
import type { Waiting } from "../../Errors.ts"
import type { AnyEvent } from "../../Event.ts"
import { acceptedBy, inWords, type Node } from "../graph/graph.ts"
import { needsOf } from "../graph/needs.ts"
import { Cell, type Left, leftOf } from "./cell.ts"
import type { Delivery } from "./delivery.ts"

/** What one step keeps in one run, for each list that it asks for. */
export class HandCollector {
  private readonly node: Node
  private readonly cells: Ref.Ref<Map<string, { readonly cell: Cell; readonly tags: ReadonlyArray<string> }>> =
    Ref.makeUnsafe(new Map())
  /** What each invocation was told: asking again, or in another attempt, does not add its event again. */
  private readonly told = new WeakMap<Delivery, Map<string, ReadonlyArray<AnyEvent> | undefined>>()

  constructor(node: Node) {
    this.node = node
  }

  offer(delivery: Delivery, tags: ReadonlyArray<string>): ReadonlyArray<AnyEvent> | undefined {
    if (this.node.intake !== undefined) {
      throw new TypeError(
        `ctx.collect is for steps that accept one event at a time, and '${this.node.name}' accepts ${inWords(this.node.intake)}`
      )
    }
    const list = JSON.stringify(tags)
    let told = this.told.get(delivery)
    if (told === undefined) {
      told = new Map()
      this.told.set(delivery, told)
    }
    if (!told.has(list)) told.set(list, this.add(delivery, list, tags))
    return told.get(list)
  }

  private add(delivery: Delivery, list: string, tags: ReadonlyArray<string>): ReadonlyArray<AnyEvent> | undefined {
    const { input, scope, place, events } = delivery
    const cells = Ref.getUnsafe(this.cells)
    let kept = cells.get(list)
    if (kept === undefined) {
      const unknown = tags.find((tag) => !acceptedBy(this.node.step).some((def) => def.tag === tag))
      if (unknown !== undefined) {
        throw new TypeError(`ctx.collect waits for '${unknown}', but step '${this.node.name}' does not accept it`)
      }
      const accepted = acceptedBy(this.node.step)
      const wanted = tags.map((tag) => accepted.find((def) => def.tag === tag)!)
      kept = {
        cell: new Cell(needsOf({ kind: "join", events: wanted, count: undefined }), false, false, scope, undefined),
        tags
      }
      cells.set(list, kept)
    }
    const { cell } = kept
    const event = input as AnyEvent
    if (!tags.includes(event._tag)) return undefined
    cell.add(event, events?.[0], scope, place)
    return cell.lacking > 0 ? undefined : (cell.take().events as ReadonlyArray<AnyEvent>)
  }

  left(): ReadonlyArray<Left> {
    return [...Ref.getUnsafe(this.cells).values()].flatMap(({ cell }) => leftOf(this.node, cell))
  }

  waiting(): ReadonlyArray<Waiting> {
    return [...Ref.getUnsafe(this.cells).values()]
      .filter(({ cell }) => !cell.empty)
      .map(({ cell, tags }) => ({
        step: this.node.name,
        intake: `ctx.collect([${tags.join(", ")}])`,
        per: undefined,
        key: undefined,
        has: cell.has(),
        needs: cell.needs()
      }))
  }
}
