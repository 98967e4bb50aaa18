/**
 * What may enter a run, one thing after another, and how it is named in every run.
 */
import type * as Exit from "effect/Exit"
import type { Call, HostedQuestion, Settlement } from "stepgraph/host"
import type { Asked } from "./questions.ts"

type Event = HostedQuestion["event"]

/** An activation of a run. Its key is the same in every run. */
export interface Activation {
  readonly key: string
  readonly settlement?: Settlement
  /** When it entered first, if the journal keeps times. */
  at?: number | undefined
  /** The call that has asked, streamed or was repeated, before its end. */
  readonly call?: string
  readonly asked?: Asked
  readonly streamed?: Event
  /** The questions that were answered with it, or failed, by their keys. */
  ended?: Map<string, Exit.Exit<Event, unknown>>
}

/** An activation that may enter a run. */
export interface Next extends Activation {
  /** Returns `false` if it does not happen after all. */
  readonly enter: (settlement: Settlement | undefined) => boolean
  /** Whether something else must enter before it. */
  readonly waits?: () => boolean
  /** Set for a message from outside: the type of its event, if it has one. */
  readonly message?: { readonly tag: string | undefined }
}

const settled = "settled "

/** Names a call in its run. */
export const nameOf = ({ id, attempt, recovers }: Call): string => `${id} ${attempt}${recovers ? " recovers" : ""}`

export const keyOf = (call: Call): string => settled + nameOf(call)

/** The call that an activation is of, if it is of one. */
export const callOf = ({ call, key }: Activation): string | undefined =>
  call ?? (key.startsWith(settled) ? key.slice(settled.length) : undefined)
