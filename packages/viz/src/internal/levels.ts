/**
 * Activity over time: a summary for invocations too numerous to draw individually.
 */

export interface Span {
  readonly from: number
  readonly to: number
}

/** The average number of spans that cover each of some equal parts of the time from 0 to `total`. */
export const levels = (spans: Iterable<Span>, total: number, parts: number): Float64Array => {
  const covered = new Float64Array(parts)
  // The number of spans that cover a part completely, stored as differences between neighbours.
  const change = new Float64Array(parts + 1)
  for (const { from, to } of spans) {
    const a = total === 0 ? 0 : Math.min(parts, (from / total) * parts)
    const b = total === 0 ? 1 : Math.min(parts, (to / total) * parts)
    const first = Math.min(parts - 1, Math.floor(a))
    const last = Math.min(parts - 1, Math.floor(b))
    if (first === last) covered[first]! += b - a
    else {
      covered[first]! += first + 1 - a
      covered[last]! += b - last
      change[first + 1]! += 1
      change[last]! -= 1
    }
  }
  for (let i = 0, level = 0; i < parts; i++) {
    level += change[i]!
    covered[i]! += level
  }
  return covered
}

/** The times of a run, or the positions of its entries if the times say too little. */
export type Axis = "time" | "order"

/** Clocks count whole milliseconds. In a very short run, everything would coincide. */
const leastMillis = 5

export const axisOf = ({ duration }: { readonly duration: number }): Axis => (duration < leastMillis ? "order" : "time")
