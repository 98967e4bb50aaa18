// Building blocks of the explored flows. Each holds a resource if it can, and the resource's finalizer takes time: none
// may be left open, whatever happens when.
import type { ExploreOptions } from "@stepgraph/testing"
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, gather, type TraceEntry } from "stepgraph"

export interface Explored {
  readonly flow: any
  readonly options?: ExploreOptions<any>
}
export type Flows = Readonly<Record<string, Explored>>

export const Start = defineEvent("Start")
export const Doc = defineEvent("Doc", { id: Schema.Number })
export const Item = defineEvent("Item", { n: Schema.Number })
export const Done = defineEvent("Done", { n: Schema.Number })
export const Other = defineEvent("Other", { n: Schema.Number })
export const Batch = defineEvent("Batch", { ns: Schema.Array(Schema.Number) })
export const Go = defineEvent("Go", { n: Schema.Number })
export const Stop = defineEvent("Stop", { value: Schema.Unknown })

export const items = (...of: ReadonlyArray<number>) =>
  defineStep({ accepts: Start, emits: Item, run: () => of.map((n) => Item({ n })) })
export const docs = defineStep({ accepts: Start, emits: Doc, run: () => [1, 2].map((id) => Doc({ id })) })
/** Stops with everything that has come. */
export const allOf = <Def extends typeof Done | typeof Other>(event: Def) =>
  defineStep({ accepts: gather(event), emits: Stop, run: (events) => Stop({ value: events.map(({ n }) => n) }) })
export const all = allOf(Done)

let open = 0
export const begin = (): void => {
  open = 0
  broken = undefined
}
const resource = Effect.acquireRelease(
  Effect.sync(() => void open++),
  () =>
    Effect.andThen(
      Effect.sleep(5),
      Effect.sync(() => void open--)
    )
)
export const holding = <A, E>(effect: Effect.Effect<A, E>) => Effect.scoped(Effect.andThen(resource, effect))
/** Holds a resource for as long as its number says. */
export const work = (given: { readonly workers?: number } = {}) =>
  defineStep({
    accepts: Item,
    emits: Done,
    ...given,
    run: ({ n }) => holding(Effect.as(Effect.sleep(n), Done({ n })))
  })
export const released = (): string | undefined => {
  const left = open
  open = 0
  return left === 0 ? undefined : `${left} are still open`
}

let broken: string | undefined
/** The conditions that a program states; `promised` checks them, whatever the program's outcome. */
export const must = (holds: boolean, what: string) =>
  Effect.sync(() => {
    if (!holds) broken ??= what
  })
export const promised = (): string | undefined => {
  const what = broken
  broken = undefined
  return what
}
/** For the middle of a program: after a run, nothing of it is open. */
export const nothingOpen = Effect.suspend(() => must(open === 0, `${open} are open although the run is over`))

/** Every delivery and every invocation has one end, and the trace is complete. */
export const addsUp = (trace: ReadonlyArray<TraceEntry>): string | undefined => {
  const waiting = new Set<string>()
  const running = new Set<string>()
  if (trace.length === 0) return undefined
  if (trace[0]!._tag !== "RunStarted") return "the trace does not begin with the run"
  for (const [index, entry] of trace.entries()) {
    const of = (event: string, step: string) => `${event} to ${step}`
    if (entry.seq !== index) return `entry ${index} has number ${entry.seq}`
    if (entry._tag === "EventDelivered") {
      const what = of(entry.event, entry.step)
      if (waiting.has(what)) return `${what} is delivered twice`
      waiting.add(what)
    } else if (entry._tag === "InvocationStarted" && entry.attempt === 1) {
      if (running.has(entry.invocation)) return `${entry.invocation} starts twice`
      running.add(entry.invocation)
      for (const event of entry.events) {
        if (!waiting.delete(of(event, entry.step))) return `${of(event, entry.step)} is taken without being there`
      }
    } else if (entry._tag === "InvocationEnded" && entry.outcome !== "retried") {
      if (!running.delete(entry.invocation)) return `${entry.invocation} ends without running`
    } else if (entry._tag === "EventDropped" && entry.step !== null) {
      if (!waiting.delete(of(entry.event, entry.step)))
        return `${of(entry.event, entry.step)} is dropped without being there`
    } else if (entry._tag === "RunFinished") {
      if (index !== trace.length - 1) return "something happens after the run's end"
      if (waiting.size > 0) return `${[...waiting][0]} has no end`
      if (running.size > 0) return `${[...running][0]} has no end`
    }
  }
  return undefined
}
