/**
 * Compares the run with another of the same workflow.
 */
import { useEffect, useState } from "preact/hooks"
import type { Graph } from "stepgraph/graph"
import { api, type Comparison, type RunDetail, type RunSummary } from "../api.ts"
import { age, brief, count, duration, number } from "../format.ts"
import { useStore } from "../hooks.ts"
import { adjust, linkTo } from "../route.ts"
import { RunStore } from "../run-store.ts"
import { type Pane, Status, wordOf } from "./parts.tsx"
import { Timeline } from "./Timeline.tsx"

interface Event {
  readonly id: string
  readonly tag: string
  readonly data: unknown
}
interface Call {
  readonly id: string
  readonly step: string
  readonly outcome: string
}
interface Pair<A> {
  readonly left: A
  readonly right: A
}

const mostListed = 20

export const Compare = ({
  beside,
  detail,
  graph,
  ...pane
}: Pane & {
  readonly detail: RunDetail
  readonly beside: string | undefined
  readonly graph: Graph | undefined
}) => {
  const [runs, setRuns] = useState<ReadonlyArray<RunSummary>>([])
  const [result, setResult] = useState<Comparison>()
  const [error, setError] = useState<string>()
  useEffect(() => {
    api.runs({ workflow: detail.workflow, limit: "100" }).then(
      ({ runs }) => setRuns(runs.filter(({ id }) => id !== detail.id)),
      () => {}
    )
  }, [detail.id])
  useEffect(() => {
    setResult(undefined)
    setError(undefined)
    if (beside === undefined) return
    let gone = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = () => {
      api.compare(detail.id, beside).then(
        (result) => {
          if (gone) return
          setResult(result)
          if (!result.ended) timer = setTimeout(ask, 1_500)
        },
        (error: Error) => gone || setError(error.message)
      )
    }
    ask()
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [detail.id, beside])
  const now = Date.now()
  return (
    <div class="compare">
      <div class="tools">
        <label>
          <span class="soft">This run beside </span>
          <select
            value={beside ?? ""}
            onChange={({ currentTarget: { value } }) => adjust({ beside: value === "" ? undefined : value })}
          >
            <option value="">choose a run…</option>
            {runs.map(({ id, startedAt, status }) => (
              <option key={id} value={id}>
                {id} · {wordOf(status)} · {age(now - Date.parse(startedAt))}
                {id === detail.rerunOf ? " · the run that this one repeats" : ""}
              </option>
            ))}
          </select>
        </label>
        {beside === undefined ? null : <a href={linkTo({ run: beside })}>Open the other</a>}
      </div>
      {runs.length === 0 ? <p class="soft">There is no other run of this workflow: run it again first.</p> : null}
      {error === undefined ? null : (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      {beside === undefined || error !== undefined ? null : (
        <Timelines key={beside} beside={beside} graph={graph} {...pane} />
      )}
      {result === undefined ? null : <Result {...result} />}
    </div>
  )
}

/** Both runs on one scale. */
const Timelines = ({
  beside,
  graph,
  store,
  ...pane
}: Pane & { readonly beside: string; readonly graph: Graph | undefined }) => {
  const [other] = useState(() => new RunStore(beside, graph))
  useEffect(() => {
    other.start()
    return () => other.stop()
  }, [other])
  useStore(store)
  useStore(other)
  const least = Math.max(1, store.model.last.at, other.model.last.at)
  return (
    <div class="beside">
      <h3>This run</h3>
      <Timeline store={store} least={least} {...pane} />
      <h3>
        The other, <span class="code">{beside}</span>
      </h3>
      <Timeline store={other} least={least} {...pane} />
    </div>
  )
}

const Result = (result: Comparison) => {
  const events = result.events as {
    readonly both: number
    readonly onlyLeft: ReadonlyArray<Event>
    readonly onlyRight: ReadonlyArray<Event>
    readonly changed: ReadonlyArray<Pair<Event>>
  }
  const parted = result.parted as ReadonlyArray<Pair<Call>>
  const order = result.order as ReadonlyArray<{ readonly step: string }>
  const steps = result.steps as ReadonlyArray<{
    readonly name: string
    readonly invocations: readonly [number, number]
    readonly busy: readonly [number, number]
    readonly waited: readonly [number, number]
  }>
  return (
    <>
      <p class="strong">
        {!result.ended
          ? "So far:"
          : result.same
            ? "The same events, the same order, and the same end."
            : result.sameOutcome
              ? "The same end, by another way."
              : "They ended differently."}
      </p>
      <table class="steps">
        <thead>
          <tr>
            <th>Step</th>
            <th class="number">Calls</th>
            <th class="number">other</th>
            <th class="number">Busy</th>
            <th class="number">other</th>
            <th class="number">Waited</th>
            <th class="number">other</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ busy, invocations, name, waited }) => (
            <tr key={name}>
              <td>{name}</td>
              <td class="number">{number(invocations[0])}</td>
              <td class={invocations[0] === invocations[1] ? "number soft" : "number bad"}>{number(invocations[1])}</td>
              <td class="number">{duration(busy[0])}</td>
              <td class="number soft">{duration(busy[1])}</td>
              <td class="number">{duration(waited[0])}</td>
              <td class="number soft">{duration(waited[1])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft">{count(events.both, "event")} in both.</p>
      {parted.length === 0 ? null : (
        <>
          <h3>Where they diverge: the same events in, different events out</h3>
          <ul class="plain">
            {parted.slice(0, mostListed).map(({ left, right }) => (
              <li key={left.id}>
                <strong>{left.step}</strong> <Status status={left.outcome} /> here, <Status status={right.outcome} />{" "}
                there
              </li>
            ))}
          </ul>
        </>
      )}
      {order.length === 0 ? null : <p>Another order of calls in {order.map(({ step }) => step).join(", ")}.</p>}
      {events.changed.length === 0 ? null : (
        <>
          <h3>The same event with other data</h3>
          <ul class="plain">
            {events.changed.slice(0, mostListed).map(({ left, right }) => (
              <li key={left.id}>
                <strong>{left.tag}</strong>
                <div class="code good">here {brief(left.data)}</div>
                <div class="code bad">there {brief(right.data)}</div>
              </li>
            ))}
          </ul>
        </>
      )}
      <Only title="Only here" events={events.onlyLeft} />
      <Only title="Only there" events={events.onlyRight} />
    </>
  )
}

const Only = ({ events, title }: { readonly title: string; readonly events: ReadonlyArray<Event> }) =>
  events.length === 0 ? null : (
    <>
      <h3>
        {title} <span class="soft number">{number(events.length)}</span>
      </h3>
      <ul class="plain">
        {events.slice(0, mostListed).map(({ data, id, tag }) => (
          <li key={id}>
            <strong>{tag}</strong> <span class="code soft">{brief(data, 120)}</span>
          </li>
        ))}
      </ul>
    </>
  )
