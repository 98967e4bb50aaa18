/**
 * See a workflow as a picture, and its runs as timelines.
 */
export { toDot } from "./Dot.ts"
export type { Direction, DrawOptions } from "./internal/picture.ts"
export type { Drawable } from "./internal/workflow.ts"
export { toMermaid } from "./Mermaid.ts"
export { toSvg } from "./Svg.ts"
