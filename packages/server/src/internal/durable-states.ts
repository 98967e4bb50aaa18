/**
 * The states of durable runs, as the server says them.
 */
import type * as Durable from "@stepgraph/durable"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { RunDetail, RunSummary, Status } from "../Runs.ts"
import { repeatedBy, userOf } from "./durable-ids.ts"
import { type AnyEvent, failureOf } from "./json.ts"

export type Outcome = Exit.Exit<AnyEvent, unknown>

const statuses: Readonly<Record<Durable.RunState, Status>> = {
  active: "running",
  stuck: "failed",
  succeeded: "stopped",
  failed: "failed",
  interrupted: "interrupted"
}
/** What a store can look for. A run that is stuck counts as failed, so that is looked for here. */
export const stateOf: Readonly<Partial<Record<Status, Durable.RunState>>> = {
  waiting: "active",
  running: "active",
  stopped: "succeeded",
  interrupted: "interrupted"
}

export const summaryOf = (run: Durable.StoredRun): RunSummary => ({
  id: run.id,
  workflow: run.flow,
  status: statuses[run.state],
  user: userOf(run.id),
  startedAt: new Date(run.createdAt).toISOString(),
  endedAt: run.endedAt === undefined ? null : new Date(run.endedAt).toISOString(),
  rerunOf: repeatedBy(run.id)
})

export const endOf = (exit: Outcome): Pick<RunDetail, "status" | "error"> => {
  if (Exit.isSuccess(exit)) return { status: "stopped", error: null }
  const isInterruption =
    (Cause.squash(exit.cause) as { readonly _tag?: unknown } | undefined)?._tag === "RunInterrupted"
  return isInterruption ? { status: "interrupted", error: null } : { status: "failed", error: failureOf(exit.cause) }
}
