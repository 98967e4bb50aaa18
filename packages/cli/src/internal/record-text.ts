/**
 * A durable run as text: what is stored about it, what it waits for, and what has happened to it.
 */
import type { JournalEntry, RunRecord, StoredMessage, Timer } from "@stepgraph/durable"
import type { RunStatus } from "stepgraph"
import { questionInWords, waitingInWords } from "stepgraph/internal"
import { date, elapsed, oneLine, table } from "./table.ts"

const count = (n: number, thing: string) => `${n} ${thing}${n === 1 ? "" : "s"}`

/** An event as its journal has it. */
const eventText = (event: unknown): string => {
  const { _tag, ...fields } = event as { readonly _tag: string }
  return Object.keys(fields).length === 0 ? _tag : `${_tag} ${JSON.stringify(fields)}`
}

const messageText = (message: StoredMessage["message"]): string =>
  message._tag === "event"
    ? eventText(message.event)
    : message._tag === "close"
      ? "the end of the inputs"
      : "an interruption"

const whys: Readonly<Record<string, string>> = {
  run: "the timeout of the workflow",
  within: "a deadline (within)",
  retry: "the pause before a retry"
}
const timerText = ({ why }: Timer): string => whys[why] ?? why

/** `host/pid/token` */
const processText = (owner: string): string => {
  const [host, pid] = owner.split("/")
  return `process ${pid} on ${host}`
}

/** What an active run waits for, line by line. Its status says more than its journal. */
export const waits = (
  record: RunRecord,
  status: RunStatus | undefined,
  problem: Error | undefined
): ReadonlyArray<string> => {
  if (problem !== undefined) return [problem.message]
  const { due, journal, owner, state, version, workflow } = record
  if (state !== "active") return []
  const now = Date.now()
  const lines: Array<string> = []
  if (owner !== undefined) lines.push(`performed by ${processText(owner)}`)
  else if (due !== undefined && due.getTime() <= now) {
    lines.push(`due for a process that has workflow '${workflow}', version ${version}`)
  }
  if (status !== undefined) {
    for (const [step, { queued, running }] of Object.entries(status.steps)) {
      if (running > 0) lines.push(`step '${step}' is running ${count(running, "call")}`)
      if (queued > 0) lines.push(`step '${step}' has ${count(queued, "event")} in its queue`)
    }
    lines.push(...status.waiting.map(waitingInWords), ...status.questions.map(questionInWords))
  } else if (owner === undefined && due === undefined) lines.push("waits for an event from outside")
  for (const [time, timer] of pending(journal)) lines.push(`waits until ${date(time)}: ${timerText(timer)}`)
  return lines
}

/** The timers that were set and have not fired. Some may have been called off, which no journal says. */
const pending = (journal: ReadonlyArray<JournalEntry>): ReadonlyArray<readonly [Date, Timer]> => {
  const set = new Map<string, readonly [Date, Timer]>()
  for (const entry of journal) {
    if (entry._tag === "TimerSet") set.set(`${entry.timer.why} ${entry.timer.of}`, [entry.due, entry.timer])
    else if (entry._tag === "TimerFired") set.delete(`${entry.timer.why} ${entry.timer.of}`)
  }
  return [...set.values()]
}

export const calls = ({ journal }: RunRecord): number => journal.filter(({ _tag }) => _tag === "CallEnded").length

const heading = ({ id, state, version, workflow }: RunRecord): string =>
  oneLine(`${id} · ${workflow}, version ${version} · ${state}`)

/** A run on a page of its own. */
export const recordText = (record: RunRecord, status: RunStatus | undefined, problem: Error | undefined): string => {
  const { createdAt, endedAt, errors, messages, start, stop } = record
  const rows: Array<readonly [string, string]> = [["started", `${date(createdAt)} with ${eventText(start)}`]]
  const add = (name: string, lines: ReadonlyArray<string>) =>
    lines.forEach((line, i) => void rows.push([i === 0 ? name : "", line]))
  if (endedAt !== undefined) {
    rows.push(["ended", `${date(endedAt)}, after ${elapsed(endedAt.getTime() - createdAt.getTime())}`])
  }
  add(record.state === "active" ? "now" : "stuck", waits(record, status, problem))
  if (stop !== undefined) rows.push(["result", eventText(stop)])
  add(
    "error",
    errors.map(({ message, name }) => (message === "" ? name : `${name}: ${message}`))
  )
  rows.push(["calls", String(calls(record))])
  add(
    "messages",
    messages.map(({ key, message }) => `${messageText(message)} · key ${key}`)
  )
  return `${heading(record)}\n\n${table(rows)}`
}

const entryText = (entry: JournalEntry): string => {
  switch (entry._tag) {
    case "CallEnded": {
      const { attempt, errors, events, interrupted, recovers, step } = entry
      const which = recovers ? " (recover)" : attempt > 1 ? ` (attempt ${attempt})` : ""
      const end =
        errors.length > 0
          ? `failed: ${errors.map(({ message, name }) => `${name}: ${message}`).join("; ")}`
          : interrupted
            ? "was interrupted"
            : `ended: ${events.map(eventText).join(", ") || "nothing"}`
      return `${step}${which} ${end}`
    }
    case "CallRepeated":
      return `${entry.step} was called again`
    case "QuestionAsked":
      return `${entry.step} asked ${eventText(entry.question)}`
    case "EventStreamed":
      return `${entry.step} streamed ${eventText(entry.event)}`
    case "TimerSet":
      return `waits until ${date(entry.due)}: ${timerText(entry.timer)}`
    case "TimerFired":
      return `the time has come: ${timerText(entry.timer)}`
    case "MessageTaken":
      return `received ${messageText(entry.message)}`
    case "Other":
      return JSON.stringify(entry.entry)
  }
}

/** What has happened to a run, from its journal alone. */
export const journalText = (record: RunRecord): string => {
  const { createdAt, endedAt, errors, journal, start, stop } = record
  const since = (at: Date) => elapsed(at.getTime() - createdAt.getTime())
  const rows: Array<readonly [string, string]> = [[since(createdAt), `started with ${eventText(start)}`]]
  for (const entry of journal) rows.push([since(entry.at), entryText(entry)])
  if (endedAt !== undefined) {
    const how = stop !== undefined ? eventText(stop) : (errors[0]?.message ?? "")
    rows.push([since(endedAt), `${record.state}${how === "" ? "" : `: ${how}`}`])
  }
  const width = Math.max(...rows.map(([time]) => time.length))
  return `${heading(record)}\n\n${table(rows.map(([time, text]) => [time.padStart(width), text]))}`
}
