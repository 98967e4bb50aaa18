/**
 * The graph of a workflow, indexed once for all its runs: who accepts what, where each emission goes, and which quiet is
 * whose to notice.
 */
import * as Duration from "effect/Duration"
import { quoted } from "../../Advice.ts"
import type { AnyDef } from "../../Event.ts"
import { type AnyIntake, isIntake } from "../../Intake.ts"
import type { AnyStep } from "../../Step.ts"
import type { Needs } from "./needs.ts"
import type { Taken } from "./taken.ts"

/** What of a workflow the graph is made of. */
export interface Definition {
  readonly name: string
  readonly start: AnyDef
  readonly stop: AnyDef | ReadonlyArray<AnyDef>
  readonly inputs: ReadonlyArray<AnyDef>
  readonly outputs: ReadonlyArray<AnyDef>
  readonly steps: Readonly<Record<string, AnyStep>>
}

/** Where an event goes when it is emitted. */
export interface Route {
  readonly tag: string
  readonly def: AnyDef
  /** Whether a value is an event that the definition has made and checked. */
  readonly recognizes: (value: object) => boolean
  readonly stop: boolean
  readonly output: boolean
  /** The steps that accept it. A gather comes before the others, so that what it keeps has a cause before what came of it. */
  readonly acceptors: ReadonlyArray<Node>
  /** The steps that declare it in `emits`. */
  readonly emitters: ReadonlyArray<Node>
  /** The kind of scope that the event opens; 0 where it opens none. */
  readonly opens: number
}

/** One step in the graph. */
export interface Node {
  readonly index: number
  readonly name: string
  readonly step: AnyStep
  readonly workers: number
  /** Whether it has a timeout, a retry or a recovery, so that it always runs as an Effect. */
  readonly guarded: boolean
  /** What its function does with its `ctx`, so that most are not given more than they see. */
  readonly ctx: Taken
  readonly intake: AnyIntake | undefined
  readonly needs: Needs | undefined
  /** The kind of scope that the intake is kept for; 0 is the run. */
  readonly per: number
  /** The events it accepts, each once. */
  readonly accepts: ReadonlyArray<Route>
  /** The emissions it declares, each once. */
  readonly emits: ReadonlyArray<Route>
  /** The same by tag. */
  readonly routes: ReadonlyMap<string, Route>
  /** The first of them, looked at first. Most steps have no other. */
  readonly first: Route | undefined
  /** The intakes that wait for quiet upstream of them, and that this step is upstream of: in the order they fire in. */
  readonly feeds: ReadonlyArray<Feed>
  /** The races downstream that have it drop what it holds once they have been decided, as no more of it can come. */
  readonly droppedBy: ReadonlyArray<Quiet>
  /** The same intake's own entry, where this step has one that waits for quiet. */
  readonly quiet: Quiet | undefined
}

/** An intake that has to know when everything upstream of it has gone quiet: a `gather` or a `race`. */
export interface Quiet {
  readonly index: number
  readonly node: Node
  readonly kind: number
  /** Whether what opens its scope leads to it, so that the opening alone makes a round: `[]` where nothing follows. */
  readonly opened: boolean
  /** Whether an input event can lead to it: then it cannot be quiet while inputs are open. */
  readonly fed: boolean
}

export interface Feed {
  readonly quiet: Quiet
  /** Whether work at this step is work of the intake's next round; not so where another `gather` stands between. */
  readonly arms: boolean
}

export interface Graph {
  readonly name: string
  readonly nodes: ReadonlyArray<Node>
  /** Where each event goes, by tag. */
  readonly routes: ReadonlyMap<string, Route>
  readonly start: Route
  readonly inputs: ReadonlyMap<string, Route>
  readonly stops: ReadonlyArray<string>
  /** In the order they fire in. */
  readonly quiets: ReadonlyArray<Quiet>
  /** The tags that open scopes; the kind of a scope is the tag's place here, and 0 is the run itself. */
  readonly kinds: ReadonlyArray<string | undefined>
  /** Whether emission order has to be known: whether there is a `gather`. */
  readonly ordered: boolean
  /** Whether an intake has a `by`. */
  readonly keyed: boolean
}

/** The definitions a step accepts, whatever its intake. */
export const acceptedBy = (step: AnyStep): ReadonlyArray<AnyDef> =>
  isIntake(step.accepts) ? step.accepts.events : step.accepts

/** The stop events of a workflow as a list. */
export const stopsOf = (flow: Definition): ReadonlyArray<AnyDef> =>
  Array.isArray(flow.stop) ? flow.stop : [flow.stop as AnyDef]

export { quoted }

/** The words of an intake, as a person wrote it. */
export const inWords = (intake: AnyIntake): string => {
  const { kind, events, count, single, per, by, within } = intake
  const tags = events.map(({ tag }) => tag).join(", ")
  const options = [
    ...(kind === "race" && !single ? [`take: ${count}`] : []),
    ...(per === undefined ? [] : [`per: ${per.tag}`]),
    ...(by === undefined ? [] : ["by"]),
    ...(within === undefined ? [] : [`within: ${Duration.format(Duration.fromInputUnsafe(within))}`])
  ]
  const list = kind === "join" || events.length > 1 ? `[${tags}]` : tags
  const rest = [
    ...(kind === "collect" ? [String(count)] : []),
    ...(options.length > 0 ? [`{ ${options.join(", ")} }`] : [])
  ]
  return `${kind}(${[list, ...rest].join(", ")})`
}
