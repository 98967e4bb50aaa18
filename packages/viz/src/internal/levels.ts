/**
 * How many were at something, over time: what is left of invocations that are too many to be drawn one by one.
 */

export interface Span {
  readonly from: number
  readonly to: number
}

/** The average number of spans that cover each of so many equal parts of the time from 0 to `total`. */
export const levels = (spans: Iterable<Span>, total: number, parts: number): Float64Array => {
  const covered = new Float64Array(parts)
  // How many cover a part wholly, as differences from one part to the next.
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

/** The times of a run, or where these say too little the places of its entries. */
export type Axis = "time" | "order"

/** Clocks count whole milliseconds: in so few of them everything would stand in one place. */
const leastMillis = 5

export const axisOf = ({ duration }: { readonly duration: number }): Axis => (duration < leastMillis ? "order" : "time")
