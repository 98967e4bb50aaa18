/**
 * The graph of a workflow, indexed once for all its runs: the steps that accept each event, the routes of emissions,
 * and the intakes that each step can keep from being quiet.
 */
import * as Duration from "effect/Duration"
import { quoted } from "../../Advice.ts"
import type { AnyDef } from "../../Event.ts"
import { type AnyIntake, isIntake } from "../../Intake.ts"
import type { AnyStep } from "../../Step.ts"
import type { Needs } from "./needs.ts"
import type { Taken } from "./taken.ts"

/** The parts of a workflow that the graph is built from. */
export interface Definition {
  readonly name: string
  readonly start: AnyDef
  readonly stop: AnyDef | ReadonlyArray<AnyDef>
  readonly inputs: ReadonlyArray<AnyDef>
  readonly outputs: ReadonlyArray<AnyDef>
  readonly steps: Readonly<Record<string, AnyStep>>
  readonly grace?: Duration.Input | undefined
}

/** The route of an emitted event. */
export interface Route {
  readonly tag: string
  readonly def: AnyDef
  /** Whether a value is an event that the definition has made and checked. */
  readonly recognizes: (value: object) => boolean
  readonly stop: boolean
  readonly output: boolean
  /** The steps that accept it. Gathers come first, so the events they keep have positions before any results. */
  readonly acceptors: ReadonlyArray<Node>
  /** The steps that declare it in `emits`. */
  readonly emitters: ReadonlyArray<Node>
  /** The kind of scope that the event opens; 0 if none. */
  readonly opens: number
  /** Whether inputs alone can lead to one: in no scope, as inputs are, or in a scope or the run's own. */
  readonly sent: "never" | "in a scope" | "in no scope"
  /** Whether a step may ask for it. */
  readonly asked: boolean
}

/** One step in the graph. */
export interface Node {
  readonly index: number
  readonly name: string
  readonly step: AnyStep
  readonly workers: number
  /** Number of deliveries that may wait before its producers are no longer pulled. */
  readonly buffer: number
  /** Whether it has a timeout, a limit, a retry or a recovery, so that it always runs as an Effect. */
  readonly guarded: boolean
  /** How long its interrupted code is waited for; undefined if neither it nor the workflow says so. */
  readonly grace: Duration.Duration | undefined
  /** Whether its function has returned a list at once, in any run: it may do so again. Set by the run. */
  lists: boolean
  /** How its function uses `ctx`, so most functions get no more than they read. */
  readonly ctx: Taken
  readonly intake: AnyIntake | undefined
  readonly needs: Needs | undefined
  /** The kind of scope that the intake is kept for; 0 is the run. */
  readonly per: number
  /** The accepted events, each once. */
  readonly accepts: ReadonlyArray<Route>
  /** The tags of those that go out at once, even if the attempt fails later. */
  readonly streams: ReadonlySet<string> | undefined
  /** The input events that it may ask for. */
  readonly asks: ReadonlyArray<Route>
  /** The declared emissions, each once. */
  readonly emits: ReadonlyArray<Route>
  /** The same by tag. */
  readonly routes: ReadonlyMap<string, Route>
  /** The first of them, tried first. Most steps have only one. */
  readonly first: Route | undefined
  /** The nearest groups of intakes that this step is in or upstream of, in firing order. */
  readonly feeds: ReadonlyArray<Group>
  /** Those of them with a race inside or downstream; its decision may drop events held here. */
  readonly raced: ReadonlyArray<Group>
  /** The intakes that get a new round from work at this step. */
  readonly arms: ReadonlyArray<Quiescent>
  /** Whether an input can lead to it, alone or with other events. */
  readonly fed: boolean
  /** Whether it can run with events that inputs alone lead to. */
  readonly sent: boolean
  /** Whether it can then run in no scope. */
  readonly scopeless: boolean
  /** Whether an event that it holds can count as on its way, because inputs can bring what is missing. */
  readonly parks: boolean
  /** The intake's own entry, if this step has one that waits for quiet. */
  readonly quiescent: Quiescent | undefined
}

/** An intake that needs to know its upstream: a `gather` or a `race`. */
export interface Quiescent {
  /** Its index among those of its kind. */
  readonly index: number
  readonly node: Node
  readonly kind: number
  readonly group: Group
  /** Whether it runs once everything upstream is quiet; a race without `take` does not. */
  readonly waits: boolean
  /** Whether the event that opens its scope leads to it, so opening alone makes a round: `[]` if nothing follows. */
  readonly opened: boolean
  /** Whether it leads back to a step without opening another scope of its intake's kind. */
  readonly leadsBackTo: (node: Node) => boolean
}

/**
 * The intakes of one cycle that are kept for one kind of scope. They share their upstream, so they go quiet together.
 * Most cycles consist of a single step.
 */
export interface Group {
  /** Its index among those of its kind. */
  readonly index: number
  readonly kind: number
  /** In firing order. */
  readonly members: ReadonlyArray<Quiescent>
  /** The nearest groups downstream, of the same kind: none of them is quiet before this one. */
  readonly next: ReadonlyArray<Group>
  /** Whether it contains a race, or has one downstream. */
  readonly raced: boolean
  /** Whether inputs alone can lead to one of them: then it cannot be quiet while they are open. */
  readonly sent: boolean
}

export interface CompiledGraph {
  readonly name: string
  readonly nodes: ReadonlyArray<Node>
  /** The route of each event, by tag. */
  readonly routes: ReadonlyMap<string, Route>
  readonly start: Route
  readonly inputs: ReadonlyMap<string, Route>
  readonly stops: ReadonlyArray<string>
  /** By the kind of scope, in firing order. */
  readonly quiescents: ReadonlyArray<ReadonlyArray<Quiescent>>
  readonly groups: ReadonlyArray<ReadonlyArray<Group>>
  /** The tags that open scopes. The kind of a scope is the index of its tag; 0 is the run itself. */
  readonly kinds: ReadonlyArray<string | undefined>
  /** Whether the order of emission is needed: whether there is a `gather`. */
  readonly ordered: boolean
  /** Whether a step asks for something. */
  readonly asking: boolean
  /** Whether an intake has a `by`. */
  readonly keyed: boolean
  /** Whether it matters that events from outside are in no scope. */
  readonly scopeless: boolean
}

/**
 * Whether a decided race drops the events that an upstream step's intake holds. Everything upstream has been cancelled,
 * so only the race's own step, or an input, could still complete it. An intake that waits for quiet would run with half
 * of its events.
 */
export const drops = (race: Quiescent, node: Node): boolean => {
  if (node === race.node) return false
  return node.quiescent !== undefined || !(race.leadsBackTo(node) || (race.kind === 0 && node.fed))
}

/** The definitions that a step accepts, whatever its intake. */
export const acceptedBy = (step: AnyStep): ReadonlyArray<AnyDef> =>
  isIntake(step.accepts) ? step.accepts.events : step.accepts

/** The stop events of a workflow as a list. */
export const stopsOf = (flow: Definition): ReadonlyArray<AnyDef> =>
  Array.isArray(flow.stop) ? flow.stop : [flow.stop as AnyDef]

export { quoted }

/** An intake as written in the code. */
export const intakeText = (intake: AnyIntake): string => {
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
