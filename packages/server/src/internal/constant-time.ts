/**
 * Comparing secrets.
 */

/** Takes the same time wherever they differ. */
export const isSame = (one: Uint8Array, other: Uint8Array): boolean => {
  let difference = one.length ^ other.length
  for (let i = 0; i < one.length; i++) difference |= one[i]! ^ other[i]!
  return difference === 0
}
