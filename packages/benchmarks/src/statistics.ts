/**
 * Medians and their spread.
 */

/** The value at this quantile, with linear interpolation. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)]!
  const above = sorted[Math.ceil(at)]!
  return below + (above - below) * (at - Math.floor(at))
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** The distance of the farther quartile from the median, relative to the median. */
export const spread = (values: ReadonlyArray<number>): number => {
  const middle = median(values)
  return Math.max(quantile(values, 0.75) - middle, middle - quantile(values, 0.25)) / middle
}
