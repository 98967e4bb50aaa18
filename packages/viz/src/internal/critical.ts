/**
 * The critical path of a run: from its end back through whatever each invocation waited for last.
 */
import type { CriticalPart, Moment, Timeline, TimelineEvent, TimelineInvocation } from "./timeline.ts"

export const criticalPath = ({
  stop,
  invocations,
  events
}: Pick<Timeline, "stop" | "invocations" | "events">): ReadonlyArray<CriticalPart> => {
  const byId = new Map(invocations.map((invocation) => [invocation.id, invocation]))
  const stopped = stop === null ? undefined : events.get(stop)
  let at = stopped?.cause == null ? lastToEnd(invocations) : byId.get(stopped.cause)
  let until: Moment | undefined = stopped?.at ?? at?.end
  const parts: Array<CriticalPart> = []
  while (at !== undefined && until !== undefined) {
    const { id, step, start, ready } = at
    const add = (doing: CriticalPart["doing"], from: Moment, to: Moment) => {
      if (to.seq > from.seq) parts.push({ invocation: id, step, doing, from, to })
    }
    add("running", start, until)
    add("waiting", ready, start)
    const last = latest(at, events)
    const quiet = at.quietAfter === null ? undefined : byId.get(at.quietAfter)
    const cause: TimelineInvocation | undefined = quiet ?? (last?.cause == null ? undefined : byId.get(last.cause))
    const then: Moment | undefined = quiet?.end ?? (last === undefined ? undefined : handedOn(at, last.at, cause))
    if (then !== undefined && ready.at > then.at) add("collecting", then, ready)
    // The last event came from outside, and the others had waited for it.
    if (cause === undefined && at.intake && last !== undefined) add("collecting", at.since, last.at)
    // Causes precede effects. If a trace says otherwise, do not loop.
    if (cause === undefined || then === undefined || cause.start.seq >= start.seq) break
    at = cause
    until = then
  }
  return parts.reverse()
}

/** The producing step may hold an event back. Until the event is delivered, that step is what is waited for. */
const handedOn = (
  { intake, ready }: TimelineInvocation,
  emitted: Moment,
  cause: TimelineInvocation | undefined
): Moment => {
  if (intake || cause === undefined || ready.seq <= emitted.seq) return emitted
  return ready.seq < cause.end.seq ? ready : cause.end
}

const lastToEnd = (invocations: ReadonlyArray<TimelineInvocation>): TimelineInvocation | undefined => {
  let last: TimelineInvocation | undefined
  const rank = (invocation: TimelineInvocation) => (invocation.outcome === "failed" ? 1 : 0)
  for (const invocation of invocations) {
    if (
      last === undefined ||
      rank(invocation) > rank(last) ||
      (rank(invocation) === rank(last) && invocation.end.seq > last.end.seq)
    ) {
      last = invocation
    }
  }
  return last
}

const latest = (
  { events: given }: TimelineInvocation,
  events: ReadonlyMap<string, TimelineEvent>
): TimelineEvent | undefined => {
  let found: TimelineEvent | undefined
  for (const id of given) {
    const event = events.get(id)
    if (event !== undefined && (found === undefined || event.at.seq > found.at.seq)) found = event
  }
  return found
}
