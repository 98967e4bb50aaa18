/**
 * Whose turn it is: the lanes that have something waiting and a free worker, first in first out.
 */
import type { Probe } from "../../Probe.ts"
import type { Lane } from "./lane.ts"

/** How many events are handled before everybody else gets a turn. */
export const eventsInTurn = 2048

/** How many passed lanes are kept in the list before they are cut off. */
const slack = 64

export class Turns {
  private readonly lanes: Array<Lane> = []
  /** Where in the list the next lane stands. */
  private first = 0

  /** Gives a lane a turn, where it can use one and waits for none yet. */
  list(lane: Lane): void {
    if (lane.listed || !lane.runnable) return
    lane.listed = true
    this.lanes.push(lane)
  }

  /** Lets a test say whose turn is next; `false` where it has everybody else take a turn first. */
  chosen(choose: Probe["next"]): boolean {
    const { lanes, first } = this
    if (lanes.length === first) return true
    const chosen = choose(lanes.slice(first).map(({ node }) => node.name))
    if (chosen === undefined) return false
    lanes.splice(first, 0, ...lanes.splice(first + chosen, 1))
    return true
  }

  next(): Lane | undefined {
    const lane = this.lanes[this.first]
    if (lane === undefined) {
      this.lanes.length = 0
      this.first = 0
      return undefined
    }
    lane.listed = false
    if (++this.first === slack) {
      this.lanes.splice(0, slack)
      this.first = 0
    }
    return lane
  }
}
