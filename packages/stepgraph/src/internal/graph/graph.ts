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
  /** How many deliveries may wait before what feeds it is no longer pulled. */
  readonly buffer: number
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
  /** The nearest groups of intakes that this step is upstream of, or in: in the order they fire in. */
  readonly feeds: ReadonlyArray<Group>
  /** Those of them that another race is in, or downstream of: its decision may drop what is held here. */
  readonly raced: ReadonlyArray<Group>
  /** The intakes whose next round work at this step belongs to. */
  readonly arms: ReadonlyArray<Quiet>
  /** Whether an input event can lead to it. */
  readonly fed: boolean
  /** The same intake's own entry, where this step has one that waits for quiet. */
  readonly quiet: Quiet | undefined
}

/** An intake that has to know what is upstream of it: a `gather`, or a `race`. */
export interface Quiet {
  /** Its place among those of its kind. */
  readonly index: number
  readonly node: Node
  readonly kind: number
  readonly group: Group
  /** Whether it runs once everything upstream of it has gone quiet; a race without `take` does not. */
  readonly waits: boolean
  /** Whether what opens its scope leads to it, so that the opening alone makes a round: `[]` where nothing follows. */
  readonly opened: boolean
  /** Whether it leads back to a step without opening another scope of the kind that the step's intake is kept for. */
  readonly leadsBackTo: (node: Node) => boolean
}

/**
 * The intakes of one circle that are kept for one kind of scope. What is upstream of one of them is upstream of all, so they
 * go quiet together; most circles are a single step.
 */
export interface Group {
  /** Its place among those of its kind. */
  readonly index: number
  readonly kind: number
  /** In the order they fire in. */
  readonly members: ReadonlyArray<Quiet>
  /** The nearest groups downstream, of the same kind: none of them is quiet before this one is. */
  readonly next: ReadonlyArray<Group>
  /** Whether a race is in it, or downstream of it. */
  readonly raced: boolean
  /** Whether an input event can lead to it: then it cannot be quiet while inputs are open. */
  readonly fed: boolean
}

export interface Graph {
  readonly name: string
  readonly nodes: ReadonlyArray<Node>
  /** Where each event goes, by tag. */
  readonly routes: ReadonlyMap<string, Route>
  readonly start: Route
  readonly inputs: ReadonlyMap<string, Route>
  readonly stops: ReadonlyArray<string>
  /** By the kind of scope that they are kept for, in the order they fire in. */
  readonly quiets: ReadonlyArray<ReadonlyArray<Quiet>>
  readonly groups: ReadonlyArray<ReadonlyArray<Group>>
  /** The tags that open scopes; the kind of a scope is the tag's place here, and 0 is the run itself. */
  readonly kinds: ReadonlyArray<string | undefined>
  /** Whether emission order has to be known: whether there is a `gather`. */
  readonly ordered: boolean
  /** Whether an intake has a `by`. */
  readonly keyed: boolean
}

/**
 * Whether a decided race has a step upstream of it drop what it holds. What is upstream has been called off: only the race's
 * own step, or an input, can still complete it. What waits for quiet would run with the half that has come.
 */
export const drops = (race: Quiet, node: Node): boolean => {
  if (node === race.node) return false
  return node.quiet !== undefined || !(race.leadsBackTo(node) || (race.kind === 0 && node.fed))
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
