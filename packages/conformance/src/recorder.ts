// The record of a hosted run, for the laws: what a step emits is emitted when its host lets the call enter, which is when the
// call ends.
import { Cause, Exit } from "effect"
import type { TraceEntry } from "stepgraph"
import type { Call, Settlement } from "stepgraph/host"
import { idOf, type Payload, question, type Spec, token } from "./spec.ts"
import type { Entry, Recorded } from "./world.ts"

/** The spec's steps, as the record shows them: each emits all at once. A promise that has asked waits for all answers. */
export const inOnePiece = (spec: Spec): Spec => ({
  ...spec,
  steps: spec.steps.map((step) => ({
    ...step,
    form: step.asks !== undefined && step.form === "promise" ? "promise" : "effect"
  }))
})

export interface Recorder {
  /** Each invocation, in the order in which they began. */
  readonly runs: ReadonlyArray<Recorded>
  /**
   * Of the trace: calls that begin in one turn begin in its order, whatever order the functions are called in, and what they ask
   * and stream has entered when it is there.
   */
  readonly observe: (entry: TraceEntry) => void
  /** A call is made, or would be. */
  readonly performs: (call: Call) => void
  /** A call has entered. */
  readonly settled: (call: Call, settlement: Settlement) => void
}

const isUnanswered = (exit: Settlement["exit"]): boolean =>
  Exit.isFailure(exit) && (Cause.squash(exit.cause) as { readonly _tag?: string } | undefined)?._tag === "NoAnswer"

export const recorderOf = (spec: Spec, say: (entry: Entry) => void): Recorder => {
  const runs: Array<Recorded & { input: Array<string> }> = []
  const byId = new Map<string, (typeof runs)[number]>()
  /** Those that have failed, and whose `recover` is called next unless the run ends first. */
  const toRecover = new Set<number>()
  const stepOf = (name: string) => spec.steps.findIndex((step) => step.name === name)
  return {
    runs,
    observe: (entry) => {
      if (entry._tag === "EventEmitted" && entry.cause !== null) {
        const run = byId.get(entry.cause)!.number
        if (entry.tag === question) say({ _tag: "asked", run })
        if (entry.tag === token) say({ _tag: "streamed", run })
      }
      if (entry._tag === "InvocationEnded" && entry.outcome === "interrupted") {
        const run = byId.get(entry.invocation)?.number
        if (run !== undefined && toRecover.delete(run)) say({ _tag: "cleaned", run })
      }
      if (entry._tag !== "InvocationStarted" || entry.attempt > 1) return
      const step = stepOf(entry.step)
      const run = { number: runs.length, step, input: [], opener: undefined, emitted: [] }
      runs.push(run)
      byId.set(entry.invocation, run)
      // Filled when it is known what it is called with.
      say({ _tag: "started", run: run.number, step, input: run.input, attempt: 1 })
    },
    performs: ({ attempt, id, input, recovers, step }) => {
      const events = (Array.isArray(input) ? input : [input]) as ReadonlyArray<Payload | undefined>
      const run = byId.get(id)!
      if (recovers) toRecover.delete(run.number)
      if (attempt === 1) run.input.splice(0, Number.POSITIVE_INFINITY, ...events.map(idOf))
      else if (!recovers)
        say({ _tag: "started", run: run.number, step: stepOf(step), input: events.map(idOf), attempt })
    },
    settled: (call, { events, exit }) => {
      const run = byId.get(call.id)!
      const { failure, fails } = spec.steps[run.step]!
      const recovered = fails > 0 && failure === "recover"
      if (Exit.isSuccess(exit)) {
        run.emitted = events.map(({ _tag, ...payload }) => ({ tag: _tag, ...(payload as unknown as Payload) }))
      }
      if (Exit.hasInterrupts(exit)) say({ _tag: "cleaned", run: run.number })
      else if (isUnanswered(exit)) say({ _tag: "unanswered", run: run.number })
      else if (call.recovers) say({ _tag: "failed", run: run.number })
      else if (Exit.isSuccess(exit)) say({ _tag: "ended", run: run.number })
      else if (!recovered) say({ _tag: "failed", run: run.number })
      else toRecover.add(run.number)
    }
  }
}
