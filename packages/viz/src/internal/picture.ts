/**
 * The picture of a workflow, which every drawing is made of: steps, the intakes before them, the events on the arrows, and
 * what comes from and goes to the outside.
 */

/** What a node of a picture is. */
export type NodeKind = "start" | "step" | "join" | "collect" | "gather" | "race" | "stop" | "inputs" | "outputs"

export interface PictureNode {
  /** Unlike every other in the picture, and safe in any drawing: letters and digits. */
  readonly id: string
  readonly kind: NodeKind
  /** A step's name; for an intake what it waits for; for the ends of a workflow what they are. */
  readonly label: string
  /** What else is to be said of it, a line each: its workers, its timeout, what it is kept for. */
  readonly notes: ReadonlyArray<string>
  /** The step it is or belongs to, where it is one. */
  readonly step: string | undefined
  /** Whether it is an intake that never fired, as far as is known. */
  readonly missed: boolean
}

export interface PictureEdge {
  readonly from: string
  readonly to: string
  /** The events that take this way; none between an intake and its step. */
  readonly events: ReadonlyArray<string>
  /** Whether it leads back to where a run has been: one of each loop does. */
  readonly back: boolean
  /** Whether none of its events was ever on it, as far as is known. */
  readonly missed: boolean
}

/** What is kept for each event of one type. */
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
  /** Which way it reads best: a short workflow like a line of text, a long one down the page. */
  readonly direction: Direction
}

export type Direction = "right" | "down"

/** How a picture is drawn. */
export interface DrawOptions {
  /** Which way the events go. When left out, a short workflow is drawn to the right and a long one down. */
  readonly direction?: Direction | undefined
  /** Workflows that run inside a step, by the step's name: they are drawn folded, by their names. */
  readonly nested?: Readonly<Record<string, { readonly name: string }>> | undefined
  /** What `explore` of `@stepgraph/testing` has seen: the ways that no schedule took are marked. */
  readonly coverage?: Missed | undefined
}

export const drawOptionNames = ["direction", "nested", "coverage"] satisfies ReadonlyArray<keyof DrawOptions>

/** The ways through a workflow that were never taken. */
export interface Missed {
  /** From one step to another; `null` is the outside. */
  readonly missed: ReadonlyArray<{ readonly from: string | null; readonly event: string; readonly to: string | null }>
  /** The steps whose intake never fired. */
  readonly neverFired: ReadonlyArray<string>
}
