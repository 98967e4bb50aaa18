/**
 * Back-pressure: what a step returns piece by piece is pulled only while the lanes it feeds have room.
 */
import * as Effect from "effect/Effect"
import type { Node } from "../graph/graph.ts"
import type { Lane } from "./lane.ts"

/** How many deliveries may wait in a lane before what feeds it is no longer pulled. */
const highWaterMark = 1024

/** A lane that was full is filled again when it is half empty, so that what feeds it is not woken for each event. */
const resumeMark = highWaterMark / 2

/** A producer that waits for room. */
interface Paused {
  readonly node: Node
  readonly resume: () => void
}

export class Room {
  private readonly lanes: ReadonlyArray<Lane>
  /** In the order in which they began to wait. */
  private readonly paused = new Set<Paused>()

  constructor(lanes: ReadonlyArray<Lane>) {
    this.lanes = lanes
  }

  /** Whether every lane that a step's emissions enter is below its mark. */
  has(node: Node): boolean {
    for (const { index } of node.targets) if (this.lanes[index]!.waiting >= highWaterMark) return false
    return true
  }

  /** Waits until there is room. `waiting` is called when it begins to. */
  await(node: Node, waiting: () => void): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const paused: Paused = { node, resume: () => resume(Effect.void) }
      this.paused.add(paused)
      waiting()
      return Effect.sync(() => this.paused.delete(paused))
    })
  }

  /** A delivery has been taken from a lane. */
  taken(lane: Lane): void {
    if (this.paused.size > 0 && lane.waiting === resumeMark) this.refill()
  }

  /** Lets every producer go on that has room; `false` where none has. */
  refill(): boolean {
    if (this.paused.size === 0) return false
    const ready = [...this.paused].filter(({ node }) => this.has(node))
    for (const paused of ready) this.resume(paused)
    return ready.length > 0
  }

  /** Lets the oldest of those go on that would wait for ever: a loop must not wait for itself. */
  letThrough(): boolean {
    if (this.paused.size === 0) return false
    const waiting = new Map<number, number>()
    for (const { node } of this.paused) waiting.set(node.index, (waiting.get(node.index) ?? 0) + 1)
    const moves = new Map<Node, boolean>()
    for (const paused of this.paused) {
      if (this.willMove(paused.node, waiting, moves)) continue
      this.resume(paused)
      return true
    }
    return false
  }

  /**
   * Whether every full lane that a step waits for will be emptied by somebody: by a worker that does not wait for room
   * itself, or by one whose own wait will end. What only waits for itself, round a circle, never moves.
   */
  private willMove(node: Node, waiting: ReadonlyMap<number, number>, moves: Map<Node, boolean>): boolean {
    const known = moves.get(node)
    if (known !== undefined) return known
    moves.set(node, false)
    const will = node.targets.every((target) => {
      const lane = this.lanes[target.index]!
      if (lane.waiting < highWaterMark || lane.busy > (waiting.get(target.index) ?? 0)) return true
      return this.willMove(target, waiting, moves)
    })
    moves.set(node, will)
    return will
  }

  private resume(paused: Paused): void {
    this.paused.delete(paused)
    paused.resume()
  }
}
