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

  /** When all that runs waits for room, the oldest goes on all the same: a loop must not wait for itself. */
  letThrough(running: number): boolean {
    const [oldest] = this.paused
    if (oldest === undefined || this.paused.size < running) return false
    this.resume(oldest)
    return true
  }

  private resume(paused: Paused): void {
    this.paused.delete(paused)
    paused.resume()
  }
}
