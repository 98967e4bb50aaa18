/**
 * Draws workflows as pictures and runs as timelines.
 */
export { compare } from "./Compare.ts"
export { toDot } from "./Dot.ts"
export { toHtml } from "./Html.ts"
export type { Comparison } from "./internal/comparison.ts"
export type { Drawable } from "./internal/drawable.ts"
export type { Direction, DrawOptions, Missed } from "./internal/picture.ts"
export type { StepProgress } from "./internal/progress.ts"
export { type TextOptions, textOptions } from "./internal/terminal.ts"
export type {
  CriticalPart,
  Moment,
  Outcome,
  Timeline,
  TimelineAttempt,
  TimelineDrop,
  TimelineEvent,
  TimelineInvocation,
  TimelineQuestion,
  TimelineStep
} from "./internal/timeline.ts"
export { type LiveOptions, type LiveStream, type LiveView, liveView, withLiveView } from "./Live.ts"
export { toMermaid } from "./Mermaid.ts"
export { toSvg } from "./Svg.ts"
export { toText } from "./Text.ts"
export { type TimelineOptions, timeline, timelines } from "./Timeline.ts"
