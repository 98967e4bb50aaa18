/**
 * What the steps of a run log, line by line, with the call that logs it.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import { format } from "effect/Formatter"
import * as Logger from "effect/Logger"
import { CurrentInvocation } from "stepgraph"
import type { LogLine } from "../Runs.ts"

/** A run keeps so many lines, and each is cut to so many characters: a chatty step must not push out the trace. */
const mostLines = 1_000
const mostText = 2_000

/** Changes each line before it is kept; `undefined` leaves it out. `true` keeps all as they are. */
export type KeepLogs = boolean | ((line: LogLine) => LogLine | undefined)

const textOf = (message: unknown, cause: Cause.Cause<unknown>): string => {
  // A `Redacted` value says so itself.
  const parts = [message].flat().map((part) => (typeof part === "string" ? part : format(part)))
  if (cause.reasons.length > 0) parts.push(Cause.pretty(cause))
  const text = parts.join(" ")
  return text.length > mostText ? `${text.slice(0, mostText)}…` : text
}

/** Adds a logger that keeps what steps log; the others go on as they are. */
export const keepingLogs = <R>(
  context: Context.Context<R>,
  logs: KeepLogs,
  keep: (line: LogLine) => void
): Context.Context<R> => {
  let lines = 0
  const logger = Logger.make<unknown, void>(({ cause, date, fiber, logLevel, message }) => {
    const current = fiber.getRef(CurrentInvocation)
    if (current === null || lines > mostLines) return
    const { invocation, run } = current
    const level = logLevel
    const at = date.getTime()
    if (++lines > mostLines) {
      keep({ run, invocation, at, level: "Warn", text: "The run logs more than is kept: further lines are left out." })
      return
    }
    try {
      const line = { run, invocation, at, level, text: textOf(message, cause) }
      const shown = typeof logs === "function" ? logs(line) : line
      if (shown !== undefined) keep(shown)
    } catch {
      // Better nothing than a secret.
    }
  })
  const loggers = Context.get(context, Logger.CurrentLoggers)
  return Context.add(context, Logger.CurrentLoggers, new Set([...loggers, logger]))
}
