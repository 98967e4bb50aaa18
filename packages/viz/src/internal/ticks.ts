/**
 * Round numbers at which to mark an axis. Pages embed this function, so it uses nothing from outside its body.
 */
export const ticks = (from: number, to: number, about: number): ReadonlyArray<number> => {
  const rough = (to - from) / Math.max(2, about)
  const power = 10 ** Math.floor(Math.log10(rough))
  const size = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough
  const found: Array<number> = []
  for (let n = Math.ceil(from / size); n * size <= to && found.length < 60; n++) found.push(n * size)
  return found
}
