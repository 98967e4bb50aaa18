/**
 * The data of a run for its page: plain, compact, and bounded. If there are too many invocations, only the notable ones
 * stay; levels of waiting and running work summarise them all.
 */
import { type Axis, axisOf, levels } from "./levels.ts"
import { oneLine } from "./text.ts"
import type { Moment, Outcome, Timeline, TimelineInvocation } from "./timeline.ts"
import { remarks, title } from "./timeline-text.ts"
import { waitsOf } from "./waits.ts"

export interface ChartAttempt {
  readonly from: ChartMoment
  readonly to: ChartMoment
  readonly outcome: Outcome
  readonly error: string | null
}

/** Milliseconds, and the position in the trace. */
export type ChartMoment = readonly [at: number, seq: number]

export interface ChartInvocation {
  readonly id: string
  readonly step: number
  readonly row: number
  readonly since: ChartMoment
  readonly ready: ChartMoment
  readonly start: ChartMoment
  readonly end: ChartMoment
  readonly outcome: Outcome
  readonly error: string | null
  /** Present only if they add something to the invocation itself. */
  readonly attempts: ReadonlyArray<ChartAttempt>
  /** Its waits for limits. */
  readonly limits: ReadonlyArray<{
    readonly name: string
    readonly from: ChartMoment
    readonly to: ChartMoment
  }>
  /** Indices into the list of events. */
  readonly events: ReadonlyArray<number>
  readonly emitted: ReadonlyArray<number>
  readonly intake: boolean
  readonly scope: string | null
  readonly critical: boolean
  readonly finalizerErrors: ReadonlyArray<string>
  /** How this invocation differs from its counterpart in the other run. */
  readonly differs: string | null
}

export interface ChartEvent {
  readonly id: string
  readonly tag: string
  /**
   * The index of the invocation that emitted it; -1 if it came from outside or from an invocation that is not shown.
   */
  readonly cause: number
  readonly at: ChartMoment
  readonly data: string
}

export interface ChartStep {
  readonly name: string
  readonly workers: number | "unbounded" | null
  readonly rows: number
  readonly runs: number
  readonly utilisation: number
  readonly waited: number
  readonly longestWait: number
  readonly criticalRunning: number
  readonly criticalWaiting: number
  readonly failed: number
  readonly retried: number
  readonly interrupted: number
  readonly dropped: number
  /** The number of waiting and running invocations for each equal part of the axis. */
  readonly queue: ReadonlyArray<number>
  readonly busy: ReadonlyArray<number>
}

export interface ChartData {
  readonly title: string
  readonly workflow: string
  readonly run: string
  /** The run and the invocation that started this run. */
  readonly parent: { readonly run: string; readonly invocation: string } | null
  readonly axis: Axis
  readonly duration: number
  /** The length of the time axis, which runs side by side share. */
  readonly extent: number
  readonly entries: number
  readonly hint: string
  readonly steps: ReadonlyArray<ChartStep>
  readonly invocations: ReadonlyArray<ChartInvocation>
  readonly events: ReadonlyArray<ChartEvent>
  readonly drops: ReadonlyArray<{
    readonly step: number
    readonly tag: string
    readonly reason: string
    readonly at: ChartMoment
  }>
  /** The critical path: invocation indices, their activity, from and to. */
  readonly critical: ReadonlyArray<{
    readonly invocation: number
    readonly doing: string
    readonly from: ChartMoment
    readonly to: ChartMoment
  }>
  /** The total number of invocations, if not all are shown. */
  readonly summarised: number | null
}

/** Arrays of equal objects, with the keys stored once: repeated keys would dominate the size of a page. */
export interface Table {
  readonly keys: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** A chart as it is embedded in a page. */
export type PackedChart = Omit<ChartData, "invocations" | "events"> & {
  readonly invocations: Table
  readonly events: Table
}

export const packed = (chart: ChartData): PackedChart => ({
  ...chart,
  invocations: table(chart.invocations),
  events: table(chart.events)
})

const table = (things: ReadonlyArray<object>): Table => ({
  keys: Object.keys(things[0] ?? {}),
  rows: things.map((thing) => Object.values(thing))
})

const mostInDetail = 20_000
const mostOfAKind = 4_000
const mostDrops = 5_000
const mostData = 1_500
const parts = 1_200

/** How this run differs from the one beside it. */
interface Beside {
  readonly extent: number
  readonly differs: ReadonlyMap<string, string>
}

export const chartData = (run: Timeline, beside?: Beside): ChartData => {
  const axis = axisOf(run)
  const key = axis === "time" ? "at" : "seq"
  const total = axis === "time" ? run.duration : run.entries
  const moment = ({ at, seq }: Moment): ChartMoment => [round(at), seq]
  const onPath = new Set(run.critical.map(({ invocation }) => invocation))
  const finalizerErrors = new Map<string, Array<string>>()
  for (const { invocation, error } of run.finalizerFailures) {
    finalizerErrors.set(invocation, [...(finalizerErrors.get(invocation) ?? []), error])
  }
  const shown = run.invocations.length <= mostInDetail ? run.invocations : worthALook(run.invocations, onPath)
  const places = new Map(shown.map(({ id }, i) => [id, i]))
  const stepPlaces = new Map(run.steps.map(({ name }, i) => [name, i]))

  const events: Array<ChartEvent> = []
  const eventPlaces = new Map<string, number>()
  const placeOf = (id: string): number => {
    let place = eventPlaces.get(id)
    if (place === undefined) {
      const event = run.events.get(id)
      place = events.length
      eventPlaces.set(id, place)
      events.push({
        id,
        tag: event?.tag ?? id,
        cause: event?.cause == null ? -1 : (places.get(event.cause) ?? -1),
        at: event === undefined ? [0, 0] : moment(event.at),
        data: event === undefined ? "" : dataText(event.data)
      })
    }
    return place
  }

  const invocations = shown.map((one): ChartInvocation => {
    const plain = one.attempts.length === 1
    return {
      id: one.id,
      step: stepPlaces.get(one.step)!,
      row: one.row,
      since: moment(one.since),
      ready: moment(one.ready),
      start: moment(one.start),
      end: moment(one.end),
      outcome: one.outcome,
      error: one.error,
      attempts: plain
        ? []
        : one.attempts.map(({ start, end, outcome, error }) => ({
            from: moment(start),
            to: moment(end),
            outcome,
            error
          })),
      limits: one.limits.map(({ limit, key, from, to }) => ({
        name: key === null ? limit : `${limit} (${key})`,
        from: moment(from),
        to: moment(to)
      })),
      events: one.events.slice(0, mostOfAKind).map(placeOf),
      emitted: one.emitted.slice(0, mostOfAKind).map(placeOf),
      intake: one.intake,
      scope: one.scope,
      critical: onPath.has(one.id),
      finalizerErrors: finalizerErrors.get(one.id) ?? [],
      differs: beside?.differs.get(one.id) ?? null
    }
  })

  const bySteps = new Map<string, Array<TimelineInvocation>>(run.steps.map(({ name }) => [name, []]))
  for (const invocation of run.invocations) bySteps.get(invocation.step)!.push(invocation)
  const summarised = shown.length < run.invocations.length
  const waitsOfAll = waitsOf(run, axis)
  const steps = run.steps.map((step): ChartStep => {
    const own = bySteps.get(step.name)!
    const waits = waitsOfAll.get(step.name)!
    const runs = summarised ? own.map(({ start, end }) => ({ from: start[key], to: end[key] })) : []
    return {
      name: oneLine(step.name),
      workers: step.workers ?? null,
      rows: step.rows,
      runs: step.invocations,
      utilisation: step.utilisation,
      waited: round(step.waited),
      longestWait: round(step.longestWait),
      criticalRunning: round(step.critical.running),
      criticalWaiting: round(step.critical.waiting),
      failed: step.failed,
      retried: step.retried,
      interrupted: step.interrupted,
      dropped: step.dropped,
      queue: waits.length === 0 ? [] : [...levels(waits, total, parts)].map(round),
      busy: runs.length === 0 ? [] : [...levels(runs, total, parts)].map(round)
    }
  })
  return {
    title: title(run),
    workflow: oneLine(run.workflow),
    run: run.run,
    parent: run.parent,
    axis,
    duration: run.duration,
    extent: beside?.extent ?? run.duration,
    entries: run.entries,
    hint: remarks(run).join(" "),
    steps,
    invocations,
    events,
    drops: run.drops.slice(0, mostDrops).map(({ event, step, reason, at }) => ({
      step: step === null ? -1 : stepPlaces.get(step)!,
      tag: run.events.get(event)?.tag ?? event,
      reason,
      at: moment(at)
    })),
    critical: run.critical
      .filter(({ invocation }) => places.has(invocation))
      .map(({ invocation, doing, from, to }) => ({
        invocation: places.get(invocation)!,
        doing,
        from: moment(from),
        to: moment(to)
      })),
    summarised: summarised ? run.invocations.length : null
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000

/** The critical path, the problems, and the longest runs and waits. */
const worthALook = (
  all: ReadonlyArray<TimelineInvocation>,
  onPath: ReadonlySet<string>
): ReadonlyArray<TimelineInvocation> => {
  const longest = (length: (one: TimelineInvocation) => number) =>
    [...all].sort((a, b) => length(b) - length(a)).slice(0, mostOfAKind)
  const kept = new Set([
    ...all.filter(({ id }) => onPath.has(id)).slice(0, mostOfAKind),
    ...all.filter(({ outcome, attempts }) => outcome !== "succeeded" || attempts.length > 1).slice(0, mostOfAKind),
    ...longest(({ start, end }) => end.at - start.at),
    ...longest(({ ready, start }) => start.at - ready.at)
  ])
  return all.filter((one) => kept.has(one))
}

/** An event's data as text, truncated. */
export const dataText = (data: unknown): string => {
  const text = JSON.stringify(data) ?? ""
  if (text === "{}") return ""
  return text.length <= mostData ? text : `${text.slice(0, mostData)}…`
}
