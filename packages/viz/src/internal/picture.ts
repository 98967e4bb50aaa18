/**
 * The model of a workflow that every drawing uses: steps, the intakes in front of them, the events on the arrows, and
 * the outside world.
 */
import type { Drawable } from "./drawable.ts"

/** The kind of a node. */
export type NodeKind = "start" | "step" | "join" | "collect" | "gather" | "race" | "stop" | "inputs" | "outputs"

export interface PictureNode {
  /** Unique in the picture and safe in any drawing language: letters and digits. */
  readonly id: string
  readonly kind: NodeKind
  /** A step's name, an intake's events, or the label of a start or stop. */
  readonly label: string
  /** Further lines: workers, timeout, the event that it is kept per. */
  readonly notes: ReadonlyArray<string>
  /** The step that it is or belongs to, if any. */
  readonly step: string | undefined
  /** Whether it is an intake that never fired, if coverage is known. */
  readonly missed: boolean
  /** The workflow that the step runs, if it is known. */
  readonly inner: Drawable | undefined
}

export interface PictureEdge {
  readonly from: string
  readonly to: string
  /** The events that use this arrow; none between an intake and its step. */
  readonly events: ReadonlyArray<string>
  /** Whether it closes a loop. Each loop has one such arrow. */
  readonly back: boolean
  /** Whether none of its events ever occurred, if coverage is known. */
  readonly missed: boolean
}

/** Surrounds everything that exists once for each event of one type. */
export interface PictureFrame {
  readonly id: string
  readonly label: string
  readonly nodes: ReadonlyArray<string>
  readonly within: string | undefined
}

export interface Picture {
  readonly name: string
  readonly nodes: ReadonlyArray<PictureNode>
  readonly edges: ReadonlyArray<PictureEdge>
  readonly frames: ReadonlyArray<PictureFrame>
  /** The better direction: right for a short workflow, down for a long one. */
  readonly direction: Direction
}

export type Direction = "right" | "down"

/** Options of a drawing. */
export interface DrawOptions {
  /** Direction of the arrows. Default: right for a short workflow, down for a long one. */
  readonly direction?: Direction | undefined
  /**
   * Workflows that run inside a step, by step name. They are drawn folded, by name, and a page unfolds them. Those of
   * `asStep` need not be named.
   */
  readonly nested?: Readonly<Record<string, { readonly name: string }>> | undefined
  /** The coverage that `explore` of `@stepgraph/testing` found. Paths that no schedule took are marked. */
  readonly coverage?: Missed | undefined
}

export const drawOptionNames = ["direction", "nested", "coverage"] satisfies ReadonlyArray<keyof DrawOptions>

/** The paths through a workflow that were never taken. */
export interface Missed {
  /** From one step to another; `null` stands for the outside. */
  readonly missed: ReadonlyArray<{ readonly from: string | null; readonly event: string; readonly to: string | null }>
  /** Steps whose intake never fired. */
  readonly neverFired: ReadonlyArray<string>
}
