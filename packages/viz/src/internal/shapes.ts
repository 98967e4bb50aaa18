/**
 * The shape of each kind of node, and where arrows meet it. The shape shows what an intake does: join, count, gather or
 * race.
 */
import type { NodeKind } from "./picture.ts"

export interface Point {
  readonly x: number
  readonly y: number
}

/** Given by its centre. */
export interface Box extends Point {
  readonly width: number
  readonly height: number
}

/** A circle, a rounded box, or the corners of another shape. */
export type Outline =
  | { readonly shape: "circle"; readonly radius: number }
  | { readonly shape: "box"; readonly round: number }
  | { readonly shape: "corners"; readonly corners: ReadonlyArray<Point> }

export const outline = (kind: NodeKind, { x, y, width, height }: Box): Outline => {
  const [left, right, top, bottom] = [x - width / 2, x + width / 2, y - height / 2, y + height / 2]
  const corners = (...points: ReadonlyArray<readonly [number, number]>): Outline => ({
    shape: "corners",
    corners: points.map(([x, y]) => ({ x, y }))
  })
  switch (kind) {
    case "start":
    case "stop":
      return { shape: "circle", radius: width / 2 }
    case "join":
      return corners(
        [left, y],
        [left + 16, top],
        [right - 16, top],
        [right, y],
        [right - 16, bottom],
        [left + 16, bottom]
      )
    case "collect":
      return corners([left + 14, top], [right, top], [right - 14, bottom], [left, bottom])
    case "gather":
      return corners([left, top], [right, top], [right - 18, bottom], [left + 18, bottom])
    case "race":
      return corners([left, top], [right - 16, top], [right, y], [right - 16, bottom], [left, bottom], [left + 12, y])
    default:
      return { shape: "box", round: kind === "step" ? 7 : height / 2 }
  }
}

/** The corners of an outline that is not a circle. Rounding is too small to matter. */
export const cornersOf = (kind: NodeKind, box: Box): ReadonlyArray<Point> | undefined => {
  const around = outline(kind, box)
  if (around.shape === "circle") return undefined
  if (around.shape === "corners") return around.corners
  const { x, y, width, height } = box
  const signs = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1]
  ] as const
  return signs.map(([right, down]) => ({ x: x + (right * width) / 2, y: y + (down * height) / 2 }))
}

/** The point where a line from a node's centre to a point outside crosses its outline. */
export const edgeOf = (kind: NodeKind, box: Box, to: Point): Point => {
  const { x, y } = box
  const [dx, dy] = [to.x - x, to.y - y]
  const along = (share: number): Point => ({ x: x + dx * share, y: y + dy * share })
  const corners = cornersOf(kind, box)
  if (corners === undefined) return along(box.width / 2 / (Math.hypot(dx, dy) || 1))
  let farthest = 0
  for (const [i, a] of corners.entries()) {
    const b = corners[(i + 1) % corners.length]!
    const [sx, sy] = [b.x - a.x, b.y - a.y]
    const across = dx * sy - dy * sx
    if (across === 0) continue
    const share = ((a.x - x) * sy - (a.y - y) * sx) / across
    const side = ((a.x - x) * dy - (a.y - y) * dx) / across
    if (share > farthest && side >= 0 && side <= 1) farthest = share
  }
  return along(Math.min(1, farthest))
}
