/**
 * A store has secrets as text. With its workflow, a record is shown without them.
 */
import type { RunRecord } from "@stepgraph/durable"
import type { AnyWorkflow } from "stepgraph/graph"
import { dataOf, secretOf } from "stepgraph/internal"

type Json = RunRecord["start"]

const definitionsOf = (flow: AnyWorkflow): ReadonlyMap<string, any> => {
  const steps = Object.values<any>(flow.steps).flatMap(({ accepts, emits }) => [accepts?.events ?? accepts, emits])
  const all = [flow.start, flow.stop, flow.inputs, flow.outputs, steps].flat(3)
  return new Map(all.map((def) => [def.tag, def]))
}

export const withoutSecrets = (record: RunRecord, flow: AnyWorkflow): RunRecord => {
  const definitions = definitionsOf(flow)
  const shown = (event: Json): Json => {
    const { _tag, ...fields } = event as unknown as { readonly _tag: string }
    const def = definitions.get(_tag)
    if (def === undefined || secretOf(def.schema) === undefined) return event
    try {
      return { _tag, ...(dataOf(def, def.fromJson(fields)) as object) } as unknown as Json
    } catch {
      return { _tag }
    }
  }
  const message = (message: RunRecord["messages"][number]["message"]) =>
    message._tag === "event" ? { ...message, event: shown(message.event) } : message
  return {
    ...record,
    start: shown(record.start),
    stop: record.stop === undefined ? undefined : shown(record.stop),
    messages: record.messages.map((sent) => ({ ...sent, message: message(sent.message) })),
    journal: record.journal.map((entry) => {
      if (entry._tag === "CallEnded") return { ...entry, events: entry.events.map(shown) }
      return entry._tag === "MessageTaken" ? { ...entry, message: message(entry.message) } : entry
    })
  }
}
