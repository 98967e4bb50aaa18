/**
 * The ready list: the lanes that have something waiting and a free worker, first in first out.
 */
import type { RunHost } from "../../../Host.ts"
import type { Lane } from "./lane.ts"

/** The lanes are a list of themselves: 0.01 µs an event less than an array that is filled at one end and emptied at the other. */
export class Ready {
  private first: Lane | undefined
  private last: Lane | undefined

  get empty(): boolean {
    return this.first === undefined
  }

  /** Adds a lane that can use a turn and is not in the list yet. */
  add(lane: Lane): void {
    if (lane.listed || !lane.runnable) return
    lane.listed = true
    lane.following = undefined
    if (this.last === undefined) this.first = lane
    else this.last.following = lane
    this.last = lane
  }

  /** Lets the host say whose turn is next; `false` where it has everybody else take a turn first. */
  chosen(choose: NonNullable<RunHost["next"]>): boolean {
    const lanes: Array<Lane> = []
    for (let lane = this.first; lane !== undefined; lane = lane.following) lanes.push(lane)
    if (lanes.length === 0) return true
    const index = choose(lanes.map(({ node }) => node.name))
    if (index === undefined) return false
    this.moveToFront(lanes[index])
    return true
  }

  // In the list as it is now: a host may have sent an event meanwhile.
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
