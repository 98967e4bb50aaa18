/**
 * What a run is waiting for, in words.
 */
import type { Graph } from "stepgraph/graph"
import type { RunModel } from "stepgraph/trace"
import type { Json, RunDetail } from "./api.ts"
import { brief, count, duration, listed } from "./format.ts"
import { isPaused } from "./run-store.ts"

export interface Reason {
  readonly step: string | undefined
  readonly text: string
  /** Whether somebody outside must do something. */
  readonly outside: boolean
}

const events = (counts: Readonly<Record<string, number>>): string =>
  listed(Object.entries(counts).map(([tag, n]) => (n === 1 ? tag : `${n} × ${tag}`)))

/** What a question says: its texts if it has any. */
const spoken = (question: Json): string => {
  if (typeof question !== "object" || question === null) return brief(question, 120)
  const { _tag, ...fields } = question as Record<string, Json>
  const texts = Object.values(fields).filter(
    (value): value is string => typeof value === "string" && value.includes(" ")
  )
  return texts.length > 0
    ? texts.join(" ").slice(0, 200)
    : Object.keys(fields).length > 0
      ? brief(fields, 120)
      : String(_tag)
}

/** `now` is in milliseconds since the run began. */
export const reasonsOf = (
  detail: RunDetail,
  model: RunModel,
  graph: Graph | undefined,
  now: number
): ReadonlyArray<Reason> => {
  const reasons: Array<Reason> = []
  for (const { awaits, question, step } of detail.questions) {
    reasons.push({
      step,
      outside: true,
      text: `has asked ‘${spoken(question)}’ and waits for ${listed(awaits, "or")}`
    })
  }
  for (const { name, queued } of model.steps.values()) {
    const own = [...model.running.values()].filter(({ step }) => step === name)
    const limited = own.filter(({ limits }) => limits.at(-1)?.to === null)
    const active = own.filter((one) => !isPaused(one) && !limited.includes(one))
    for (const limit of new Set(limited.map(({ limits }) => limits.at(-1)!.limit))) {
      const n = limited.filter(({ limits }) => limits.at(-1)!.limit === limit).length
      reasons.push({ step: name, outside: false, text: `${count(n, "call")} wait for the limit ‘${limit}’` })
    }
    if (active.length > 0) {
      const oldest = Math.min(...active.map(({ start }) => start.at))
      const tries = Math.max(...active.map(({ attempts }) => attempts.length))
      const longest = `${active.length === 1 ? "" : "the longest "}for ${duration(Math.max(0, now - oldest))}`
      const again = tries > 1 ? `, on attempt ${tries}` : ""
      reasons.push({
        step: name,
        outside: false,
        text: `${active.length === 1 ? "is at work" : `has ${active.length} calls at work`}, ${longest}${again}`
      })
    }
    if (queued > 0) {
      const workers = graph?.steps.find((step) => step.name === name)?.workers
      const crew = typeof workers === "number" ? ` of its ${count(workers, "worker")}` : ""
      reasons.push({ step: name, outside: false, text: `${count(queued, "event")} waiting for one${crew}` })
    }
  }
  for (const { has, intake, key, needs, step } of detail.waiting) {
    if (Object.keys(needs).length === 0) {
      reasons.push({ step, outside: false, text: `collects with ${intake} until everything upstream is quiet` })
      continue
    }
    const from = Object.keys(needs).flatMap((tag) => {
      if (graph?.inputs.includes(tag)) return [`${tag} comes from outside`]
      const by = graph?.events.find((event) => event.tag === tag)?.emittedBy ?? []
      return by.length === 0 ? [] : [`${tag} comes from ${listed(by, "or")}`]
    })
    const outside = Object.keys(needs).some((tag) => graph?.inputs.includes(tag))
    const held = Object.values(has).some((n) => n > 0) ? `; it has ${events(has)}` : ""
    const of = key === null ? "" : ` for ${brief(key, 60)}`
    reasons.push({
      step,
      outside,
      text: `needs ${events(needs)}${of}${held}${from.length > 0 ? `. ${from.join(", ")}` : ""}`
    })
  }
  return reasons.sort((a, b) => Number(b.outside) - Number(a.outside))
}
