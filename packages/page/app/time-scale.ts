/**
 * A time axis on which long idle times are folded to a narrow gap.
 */
import type { Idle } from "./tape.ts"

export interface Fold extends Idle {
  /** On the folded axis, from 0 to `length`. */
  readonly place: number
  readonly width: number
}

export interface Scale {
  readonly folds: ReadonlyArray<Fold>
  /** The length of the folded axis, in its own milliseconds. */
  readonly length: number
  readonly place: (at: number) => number
  readonly at: (place: number) => number
}

/** Idle times longer than this share of the rest are folded to it. */
const share = 0.04
const mostFolds = 40

export const scaleOf = (duration: number, idle: ReadonlyArray<Idle>, fold: boolean): Scale => {
  const longest = fold ? [...idle].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, mostFolds) : []
  const busy = duration - longest.reduce((sum, { from, to }) => sum + to - from, 0)
  const width = Math.max(busy * share, 1)
  const folded = longest.filter(({ from, to }) => to - from > width * 2).sort((a, b) => a.from - b.from)
  const folds: Array<Fold> = []
  let cut = 0
  for (const { from, to } of folded) {
    folds.push({ from, to, place: from - cut, width })
    cut += to - from - width
  }
  const place = (at: number): number => {
    let cut = 0
    for (const { from, to, width } of folds) {
      if (at <= from) break
      if (at < to) return from - cut + ((at - from) / (to - from)) * width
      cut += to - from - width
    }
    return at - cut
  }
  const at = (wanted: number): number => {
    let cut = 0
    for (const { from, to, place, width } of folds) {
      if (wanted <= place) break
      if (wanted < place + width) return from + ((wanted - place) / width) * (to - from)
      cut += to - from - width
    }
    return wanted + cut
  }
  return { folds, length: Math.max(duration - cut, 1), place, at }
}

/** Round times for the marks of an axis between two of its places: about so many, and none within a fold. */
export const ticks = ({ at, folds }: Scale, from: number, to: number, most: number): ReadonlyArray<number> => {
  const span = to - from
  if (!(span > 0) || most < 1) return []
  const raw = span / most
  const steps = raw < 1000 ? [1, 2, 5, 10] : [1, 2, 5, 10, 15, 30, 60]
  const unit =
    raw < 1000 ? 10 ** Math.floor(Math.log10(raw)) : raw < 60_000 ? 1000 : raw < 3_600_000 ? 60_000 : 3_600_000
  const step = unit * (steps.find((step) => step * unit >= raw) ?? Math.ceil(raw / unit))
  const all: Array<number> = []
  const end = at(to)
  let begin = at(from)
  for (const fold of [...folds, { from: end, to: end }]) {
    const until = Math.min(fold.from, end)
    for (let tick = Math.ceil(begin / step) * step; tick <= until; tick += step) all.push(tick)
    begin = Math.max(begin, fold.to)
  }
  return all
}
