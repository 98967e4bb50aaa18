/**
 * Back-pressure: iterators and streams are pulled only while the lanes that they feed have room.
 */
import * as Effect from "effect/Effect"
import type { Node } from "../../graph/graph.ts"
import type { Lane } from "./lane.ts"

/** A full lane is refilled once it is half empty, so that its producers are not woken for each event. */
export const isHalfEmpty = (waiting: number, buffer: number): boolean => waiting === buffer >> 1

/** The outputs, if a reader takes them one by one. */
export interface Outlet {
  /** Whether as many outputs wait as the reader wants. */
  readonly full: boolean
}

/** A producer that waits for room. */
interface Paused {
  readonly node: Node
  /** Smaller for producers that paused earlier. */
  readonly since: number
  readonly resume: () => void
}

/** The cost of a check depends on the size of the graph, not on the number of waiting producers. */
export class BackPressure {
  private readonly lanes: ReadonlyArray<Lane>
  /** The waiting producers of each step, oldest first; a step without any is absent. */
  private paused: Map<Node, Set<Paused>> | undefined
  private count = 0
  /** Without a reader, there is always room for outputs. */
  outlet: Outlet | undefined

  constructor(lanes: ReadonlyArray<Lane>) {
    this.lanes = lanes
  }

  /** Whether every lane that a step's emissions enter has room, and so have the outputs. */
  hasRoom(node: Node): boolean {
    for (const { acceptors, output } of node.emits) {
      for (const { index, buffer } of acceptors) if (this.lanes[index]!.waiting >= buffer) return false
      if (output && this.outlet?.full) return false
    }
    return true
  }

  /** Waits until there is room. Calls `waiting` if it has to wait. */
  await(node: Node, waiting: () => void): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const paused: Paused = { node, since: this.count++, resume: () => resume(Effect.void) }
      this.paused ??= new Map()
      const others = this.paused.get(node)
      if (others === undefined) this.paused.set(node, new Set([paused]))
      else others.add(paused)
      waiting()
      return Effect.sync(() => this.forget(paused))
    })
  }

  /** Whether the delivery just taken from a lane makes room in it. */
  releases(lane: Lane): boolean {
    return this.paused !== undefined && this.paused.size > 0 && isHalfEmpty(lane.waiting, lane.node.buffer)
  }

  /** Resumes producers while there is room, oldest first; `false` if none has room. */
  refill(): boolean {
    if (this.paused === undefined) return false
    let some = false
    // A resumed producer continues at once, so the first may leave no room for the others.
    while (this.resumeOldest((node) => this.hasRoom(node))) some = true
    return some
  }

  /** Resumes the oldest producer that would wait forever: a loop must not wait for itself. */
  letThrough(): boolean {
    if (this.paused === undefined) return false
    const moves = new Map<Node, boolean>()
    return this.resumeOldest((node) => !this.willMove(node, moves))
  }

  /**
   * Whether every full lane that a step waits for will be emptied: by a worker that is not waiting for room, or by one
   * whose own wait will end. Producers that wait for each other in a cycle never move. Outputs are emptied by their reader.
   */
  private willMove(node: Node, moves: Map<Node, boolean>): boolean {
    const known = moves.get(node)
    if (known !== undefined) return known
    moves.set(node, false)
    const will = node.emits.every(({ acceptors }) =>
      acceptors.every((target) => {
        const lane = this.lanes[target.index]!
        if (lane.waiting < target.buffer || lane.busy > (this.paused?.get(target)?.size ?? 0)) return true
        return this.willMove(target, moves)
      })
    )
    moves.set(node, will)
    return will
  }

  /** `false` if there is none. */
  private resumeOldest(which: (node: Node) => boolean): boolean {
    let oldest: Paused | undefined
    for (const [node, [first]] of this.paused ?? []) {
      if ((oldest === undefined || first!.since < oldest.since) && which(node)) oldest = first
    }
    if (oldest === undefined) return false
    this.forget(oldest)
    oldest.resume()
    return true
  }

  private forget(paused: Paused): void {
    const others = this.paused?.get(paused.node)
    others?.delete(paused)
    if (others?.size === 0) this.paused?.delete(paused.node)
  }
}
