/**
 * The routes of `@stepgraph/server`, as the page uses them. All addresses are relative: the server may be under any path.
 */
import type { Exploration, FoundOrder, LogLine, RunDetail, RunPage, RunSummary } from "@stepgraph/server"
import type { TraceEntry } from "stepgraph"
import type { Graph } from "stepgraph/graph"

export type { Exploration, FoundOrder, LogLine, RunDetail, RunSummary }
export type Json = unknown

export interface WorkflowSummary {
  readonly name: string
  readonly start: string
  readonly stops: ReadonlyArray<string>
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
}

/** Whether the workflows are those of the latest files. */
export interface ServerStatus {
  readonly revision: number
  readonly problems: ReadonlyArray<string>
  /** Whether it tries every order of a workflow, or why it cannot. */
  readonly explores: boolean | string
}

/** What to try every order of. */
export interface Exploring {
  readonly run: string
  readonly sends: ReadonlyArray<Json>
  readonly schedules: number
  readonly seconds: number
  readonly timers: "real" | "virtual"
  readonly sameResult: boolean
}

/** A JSON Schema as the server gives it. */
export interface SchemaDocument {
  readonly schema: Json
  readonly definitions: Readonly<Record<string, Json>>
}

export interface WorkflowDetail {
  readonly name: string
  readonly graph: Graph
  readonly schemas: Readonly<
    Record<"start" | "inputs" | "outputs" | "stop", Readonly<Record<string, SchemaDocument | null>>>
  >
}

/** What the server said instead of an answer. */
export class Failure extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const key = "stepgraph-token"

/** Takes the token out of the address, so that nobody copies it with a link. Returns whether there was one. */
export const takeToken = (): boolean => {
  const found = /[#&]token=([^&]*)/.exec(location.hash)
  if (found === null) return false
  sessionStorage.setItem(key, decodeURIComponent(found[1]!))
  const rest = location.hash.replace(found[0], found[0].startsWith("#") ? "#" : "").replace(/^#&/, "#")
  history.replaceState(null, "", `${location.pathname}${location.search}${rest === "#" ? "" : rest}`)
  return true
}

export const setToken = (token: string): void => sessionStorage.setItem(key, token)

export const addressOf = (path: string): string => new URL(`api/${path}`, document.baseURI).href

const send = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const token = sessionStorage.getItem(key)
  const headers = new Headers(init.headers)
  if (token !== null) headers.set("authorization", `Bearer ${token}`)
  let response: Response
  try {
    response = await fetch(addressOf(path), { ...init, headers })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new Failure(0, "The server does not answer. Is it still running?")
  }
  if (response.ok) return response
  const problem = await response.json().catch(() => undefined)
  throw new Failure(response.status, problem?.detail ?? problem?.title ?? `The server answered ${response.status}`)
}

const get = async <A>(path: string): Promise<A> => (await send(path)).json()

const post = async <A>(path: string, body: Json = {}, headers: Record<string, string> = {}): Promise<A> => {
  const response = await send(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body)
  })
  const text = await response.text()
  return text === "" ? (undefined as A) : JSON.parse(text)
}

const at = encodeURIComponent

export const api = {
  status: () => get<ServerStatus>("status"),
  workflows: () => get<ReadonlyArray<WorkflowSummary>>("workflows"),
  workflow: (name: string) => get<WorkflowDetail>(`workflows/${at(name)}`),
  start: (name: string, input: Json) => post<RunDetail>(`workflows/${at(name)}/runs`, input),
  runs: (query: Readonly<Record<string, string>>) => get<RunPage>(`runs?${new URLSearchParams(query)}`),
  run: (id: string) => get<RunDetail>(`runs/${at(id)}`),
  /** As the run has it: the files may have changed since. */
  workflowOf: (run: string) => get<WorkflowDetail | null>(`runs/${at(run)}/workflow`),
  send: (id: string, event: Json, key: string) =>
    post<void>(`runs/${at(id)}/inputs`, event, { "idempotency-key": key }),
  closeInputs: (id: string) => post<void>(`runs/${at(id)}/inputs/close`),
  interrupt: (id: string) => post<RunDetail>(`runs/${at(id)}/interrupt`),
  rerun: (id: string, input?: Json) => post<RunDetail>(`runs/${at(id)}/rerun`, input === undefined ? {} : { input }),
  remove: (id: string) => send(`runs/${at(id)}`, { method: "DELETE" }),
  explore: (name: string, exploring: Exploring) => post<Exploration>(`workflows/${at(name)}/exploration`, exploring),
  exploration: () => get<Exploration | null>("exploration"),
  cancelExploration: () => post<Exploration | null>("exploration/cancel"),
  compare: (left: string, right: string) => get<Comparison>(`compare?${new URLSearchParams({ left, right })}`)
}

/** As the server gives it: the parts that the page shows. */
export interface Comparison {
  readonly ended: boolean
  readonly same: boolean
  readonly sameOutcome: boolean
  readonly events: Json
  readonly parted: Json
  readonly order: Json
  readonly steps: Json
  readonly durations: Json
}

export interface TraceRecord {
  readonly number: number
  readonly kind: "trace" | "log" | "dropped" | "end"
  readonly data: Json
}

export type { TraceEntry }

const pause = (millis: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, millis)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })

/** How to read a trace. */
interface Following {
  readonly signal: AbortSignal
  /** Gets the records of one read at once. */
  readonly take: (records: ReadonlyArray<TraceRecord>) => void
  readonly connection?: (is: "open" | "broken") => void
  /** Begins with the last so many records. */
  readonly last?: number | undefined
  /** Ends at this record, or soon after. */
  readonly until?: number
}

/** Reads the trace to its end, and goes on where it broke off. */
export const follow = async (
  id: string,
  { connection = () => {}, last, signal, take, until = Number.POSITIVE_INFINITY }: Following
): Promise<void> => {
  let after = 0
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      const from = after === 0 && last !== undefined ? `last=${last}` : `after=${after}`
      const response = await send(`runs/${at(id)}/trace?${from}`, {
        headers: { accept: "application/x-ndjson" },
        signal
      })
      if (response.status === 204) return
      connection("open")
      tries = 0
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let rest = ""
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        const lines = (rest + value).split("\n")
        rest = lines.pop()!
        const records = lines.filter((line) => line !== "").map((line): TraceRecord => JSON.parse(line))
        if (records.length === 0) continue
        after = records.at(-1)!.number
        take(records)
        if (records.at(-1)!.kind === "end") return
        if (after >= until) {
          void reader.cancel()
          return
        }
      }
    } catch (error) {
      if (signal.aborted || (error instanceof Failure && [401, 403, 404].includes(error.status))) return
    }
    connection("broken")
    await pause(Math.min(5_000, 250 * 2 ** tries), signal)
  }
}
