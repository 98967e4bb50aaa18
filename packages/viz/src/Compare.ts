/**
 * Compares two runs by their causal ids.
 */
import type { Comparison } from "./internal/comparison.ts"
import type { Timeline, TimelineEvent, TimelineInvocation } from "./internal/timeline.ts"

/**
 * The differences between two runs: their events, the order in each step, the durations and the end. Ids name causes,
 * not arrival, so the same event has the same id in both runs, whatever the timing.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, runPromise, type TraceEntry, workflow } from "stepgraph"
 * import { compare, timeline, toText } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { n: Schema.Number })
 * const flow = workflow({
 *   name: "double", start: Start, stop: Stop,
 *   steps: { double: defineStep({ accepts: Start, emits: Stop, run: ({ n }) => Stop({ n: 2 * n }) }) }
 * })
 * const traced = async (n: number) => {
 *   const trace: Array<TraceEntry> = []
 *   await runPromise(flow, { n }, { observe: (entry) => trace.push(entry) })
 *   return timeline(trace)
 * }
 *
 * const { events } = compare(await traced(1), await traced(2))
 * console.log(events.changed.map(({ left, right }) => `${left.tag}: ${JSON.stringify([left.data, right.data])}`))
 * // => [ 'Start: [{"n":1},{"n":2}]', 'Stop: [{"n":2},{"n":4}]' ]
 * ```
 */
export function compare(left: Timeline, right: Timeline): Comparison {
  const rightInvocations = new Map(right.invocations.map((invocation) => [invocation.id, invocation]))
  const pairs = left.invocations.flatMap((one) => {
    const other = rightInvocations.get(one.id)
    return other === undefined ? [] : [{ left: one, right: other }]
  })
  const onlyLeft = missing(left, right)
  const onlyRight = missing(right, left)
  const shared = [...left.events.values()].flatMap((one) => {
    const other = right.events.get(one.id)
    return other === undefined ? [] : [{ left: one, right: other }]
  })
  const changed = shared.filter(({ left, right }) => JSON.stringify(left.data) !== JSON.stringify(right.data))
  const unlike = new Set(changed.map(({ left }) => left.id))
  const parted = pairs.filter(
    ({ left, right }) =>
      left.outcome !== right.outcome ||
      (left.events.every((id) => !unlike.has(id)) &&
        (String(left.emitted) !== String(right.emitted) || left.emitted.some((id) => unlike.has(id))))
  )
  const order = orders(left, right, pairs)
  const sameOutcome = endOf(left) === endOf(right)
  const difference = ({ left, right }: (typeof pairs)[number]) =>
    right.end.at - right.start.at - (left.end.at - left.start.at)
  return {
    _tag: "Comparison",
    left,
    right,
    same: sameOutcome && onlyLeft.length + onlyRight.length + changed.length + parted.length + order.length === 0,
    sameOutcome,
    events: { both: shared.length, onlyLeft, onlyRight, changed },
    parted,
    order,
    steps: steps(left, right),
    durations: pairs
      .map((pair) => ({ ...pair, difference: difference(pair) }))
      .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference))
  }
}

/** The outcome and its content. Two runs may end with the same event for different causes. */
const endOf = ({ outcome, stop, events, error }: Timeline): string => {
  const event = stop === null ? undefined : events.get(stop)
  return JSON.stringify([outcome, event?.tag, event?.data, error])
}

const missing = (of: Timeline, other: Timeline): ReadonlyArray<TimelineEvent> =>
  [...of.events.values()].filter(({ id }) => !other.events.has(id))

/** Steps whose common invocations began in another order. */
const orders = (
  left: Timeline,
  right: Timeline,
  pairs: ReadonlyArray<{ readonly left: TimelineInvocation }>
): Comparison["order"] => {
  const both = new Set(pairs.map(({ left }) => left.id))
  const byStep = (run: Timeline) => {
    const found = new Map<string, Array<TimelineInvocation>>()
    for (const invocation of run.invocations) {
      if (!both.has(invocation.id)) continue
      const list = found.get(invocation.step)
      if (list === undefined) found.set(invocation.step, [invocation])
      else list.push(invocation)
    }
    return found
  }
  const others = byStep(right)
  return [...byStep(left)].flatMap(([step, began]) => {
    const other = others.get(step) ?? []
    const first = began.findIndex(({ id }, i) => id !== other[i]?.id)
    return first < 0 ? [] : [{ step, left: began.slice(first), right: other.slice(first) }]
  })
}

const steps = (left: Timeline, right: Timeline): Comparison["steps"] => {
  const of = (run: Timeline) => new Map(run.steps.map((step) => [step.name, step]))
  const [lefts, rights] = [of(left), of(right)]
  return [...new Set([...lefts.keys(), ...rights.keys()])].map((name) => {
    const [one, other] = [lefts.get(name), rights.get(name)]
    return {
      name,
      invocations: [one?.invocations ?? 0, other?.invocations ?? 0],
      busy: [one?.busy ?? 0, other?.busy ?? 0],
      waited: [one?.waited ?? 0, other?.waited ?? 0]
    }
  })
}
