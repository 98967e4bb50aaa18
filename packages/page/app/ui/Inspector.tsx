/**
 * One event, one call of a step, or a step: what it was given, what came of it, and how it went.
 */
import type { ComponentChildren } from "preact"
import type { Graph } from "stepgraph/graph"
import type { EventModel, InvocationModel } from "stepgraph/trace"
import type { LogLine } from "../api.ts"
import { brief, count, duration, listed, number } from "../format.ts"
import { useStore } from "../hooks.ts"
import type { Selection } from "../route.ts"
import { isPaused, type RunStore } from "../run-store.ts"
import {
  CallLink,
  CallList,
  EventLink,
  EventList,
  EventRef,
  Fact,
  Facts,
  type Linked,
  mostListed,
  Payload
} from "./links.tsx"
import { type Pane, Status } from "./parts.tsx"

/** How far back a chain of causes is shown. */
const longestChain = 12

export const Inspector = ({
  graph,
  onSelect,
  selection,
  store
}: Pane & { readonly graph: Graph | undefined; readonly selection: Selection }) => {
  useStore(store)
  const { model } = store
  const { id, kind } = selection
  const event = kind === "event" ? model.events.get(id) : undefined
  const call = kind === "call" ? model.invocations.get(id) : undefined
  const isStep = kind === "step" && model.steps.has(id)
  return (
    <aside class="inspector" aria-label="Details">
      <button type="button" class="quiet close" aria-label="Close the details" onClick={() => onSelect(undefined)}>
        ✕
      </button>
      {event !== undefined ? (
        <Event model={model} event={event} onSelect={onSelect} />
      ) : call !== undefined ? (
        <Call store={store} model={model} call={call} onSelect={onSelect} />
      ) : isStep ? (
        <Step model={model} name={id} graph={graph} onSelect={onSelect} />
      ) : (
        <p class="soft">Not in the trace at this moment.</p>
      )}
    </aside>
  )
}

const Event = ({ event, model, onSelect }: Linked & { readonly event: EventModel }) => {
  const drops = model.drops.filter((drop) => drop.event === event.id)
  return (
    <>
      <p class="over">Event</p>
      <h2>{event.tag}</h2>
      <Facts>
        <Fact name="Emitted">{duration(event.at.at)} after the start</Fact>
        {event.attempt === null ? null : <Fact name="By attempt">{event.attempt}</Fact>}
        {event.waiting > 0 ? <Fact name="Waits">in {count(event.waiting, "step")}</Fact> : null}
        {drops.map(({ reason, step }) => (
          <Fact key={`${step}${reason}`} name="Dropped">
            {step === null ? reason : `${reason}, before ${step}`}
          </Fact>
        ))}
      </Facts>
      <Payload value={event.data} />
      <h3>Came of</h3>
      <Chain model={model} event={event} onSelect={onSelect} />
      <h3>Led to</h3>
      <CallList model={model} ids={event.takenBy} onSelect={onSelect} none="Nothing has taken it." />
      <p class="code soft id">{event.id}</p>
    </>
  )
}

/** From the event back to what came from outside: of several causes, the last to come. */
const Chain = ({ event, model, onSelect }: Linked & { readonly event: EventModel }) => {
  const links: Array<ComponentChildren> = []
  let at: EventModel | undefined = event
  while (at !== undefined && links.length < longestChain) {
    if (at.cause === null) {
      links.push(<li key="outside">{at.id === event.id ? "It came from outside." : "which came from outside"}</li>)
      break
    }
    const call: InvocationModel | undefined = model.invocations.get(at.cause)
    if (call === undefined) {
      links.push(<li key="unknown">{at.cause}</li>)
      break
    }
    const given: ReadonlyArray<EventModel> = call.events.flatMap((id) => model.events.get(id) ?? [])
    const last: EventModel | undefined = given.at(-1)
    links.push(
      <li key={call.id}>
        <CallLink call={call} onSelect={onSelect} />
        {last === undefined ? null : (
          <>
            {" given "}
            <EventLink event={last} onSelect={onSelect} />
            {given.length > 1 ? <span class="soft"> and {number(given.length - 1)} more</span> : null}
          </>
        )}
      </li>
    )
    at = last
  }
  return <ol class="chain">{links}</ol>
}

const Call = ({
  call,
  model,
  onSelect,
  store
}: Linked & { readonly store: RunStore; readonly call: InvocationModel }) => {
  const end = call.end?.at ?? model.last.at
  const waited = call.start.at - call.ready.at
  const gathered = call.ready.at - call.since.at
  return (
    <>
      <p class="over">Call of a step</p>
      <h2>
        {call.step} <Status status={isPaused(call) ? "waiting" : call.outcome} />
      </h2>
      <Facts>
        <Fact name="Began">{duration(call.start.at)} after the start</Fact>
        <Fact name={call.end === null ? "Runs for" : "Took"}>{duration(end - call.start.at)}</Fact>
        {gathered > 0 ? <Fact name="Gathered its events in">{duration(gathered)}</Fact> : null}
        <Fact name="Waited for a worker">{duration(waited)}</Fact>
        {call.limits.map(({ from, key, limit, to }) => (
          <Fact key={`${limit}${from.seq}`} name={`Waited for ‘${limit}’${key === null ? "" : ` (${key})`}`}>
            {duration((to?.at ?? end) - from.at)}
          </Fact>
        ))}
        {call.scope === null ? null : (
          <Fact name="In the scope of">{model.events.get(call.scope)?.tag ?? call.scope}</Fact>
        )}
      </Facts>
      {call.error === null ? null : <pre class="error">{call.error}</pre>}
      {call.attempts.length < 2 ? null : (
        <>
          <h3>Attempts</h3>
          <table class="attempts">
            <tbody>
              {call.attempts.map(({ end: ended, error, outcome, start }, i) => (
                <tr key={start.seq}>
                  <td class="number">{i + 1}</td>
                  <td>
                    <Status status={outcome} />
                  </td>
                  <td class="number">{duration((ended?.at ?? end) - start.at)}</td>
                  <td class="bad">{error === null ? "" : brief(error.split("\n")[0], 120)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {call.questions.length === 0 ? null : (
        <>
          <h3>Questions</h3>
          <ul class="plain">
            {call.questions.map(({ answer, awaits, event, number, outcome }) => (
              <li key={number}>
                <EventRef model={model} id={event} onSelect={onSelect} /> for {listed(awaits, "or")}: {outcome}{" "}
                {answer === null ? null : <EventRef model={model} id={answer} onSelect={onSelect} />}
              </li>
            ))}
          </ul>
        </>
      )}
      {store.logs.size === 0 ? null : <Logs lines={store.loggedBy(call.id)} began={model.began} />}
      <h3>Came of</h3>
      <EventList
        model={model}
        ids={call.events}
        onSelect={onSelect}
        none="No event: its deadline or a quiet moment let it run."
      />
      <h3>Led to</h3>
      <EventList model={model} ids={call.emitted} onSelect={onSelect} none="It has emitted nothing." />
      <p class="code soft id">{call.id}</p>
    </>
  )
}

const Logs = ({ began, lines }: { readonly lines: ReadonlyArray<LogLine>; readonly began: number }) => (
  <>
    <h3>Logs</h3>
    {lines.length === 0 ? (
      <p class="soft">It has logged nothing with Effect.log.</p>
    ) : (
      <ol class="logs code">
        {lines.map(({ at, level, text }, i) => (
          <li key={i} class={level.toLowerCase()}>
            <span class="soft number">{duration(Math.max(0, at - began))}</span>
            <span>
              {level === "Info" ? null : <strong>{level} </strong>}
              {text}
            </span>
          </li>
        ))}
      </ol>
    )}
  </>
)

const Step = ({
  graph,
  model,
  name,
  onSelect
}: Linked & { readonly name: string; readonly graph: Graph | undefined }) => {
  const step = model.steps.get(name)!
  const declared = graph?.steps.find((one) => one.name === name)
  const latest: Array<InvocationModel> = []
  for (const call of model.invocations.values()) if (call.step === name) latest.push(call)
  return (
    <>
      <p class="over">Step</p>
      <h2>{name}</h2>
      <Facts>
        {declared === undefined ? null : (
          <>
            <Fact name="Accepts">{declared.intake?.text ?? listed(declared.accepts, "or")}</Fact>
            <Fact name="Emits">{declared.emits.length === 0 ? "nothing" : listed(declared.emits, "or")}</Fact>
            <Fact name="Workers">{declared.workers}</Fact>
            {declared.timeout === null ? null : <Fact name="Timeout">{declared.timeout}</Fact>}
          </>
        )}
        <Fact name="Running">{number(step.running)}</Fact>
        <Fact name="Queued">{number(step.queued)}</Fact>
        {step.intake ? <Fact name="Held by its intake">{number(step.held)}</Fact> : null}
        <Fact name="Done">{number(step.succeeded)}</Fact>
        {step.failed > 0 ? <Fact name="Failed">{number(step.failed)}</Fact> : null}
        {step.retried > 0 ? <Fact name="Retried">{number(step.retried)}</Fact> : null}
        {step.dropped > 0 ? <Fact name="Events dropped">{number(step.dropped)}</Fact> : null}
        <Fact name="Busy in all">{duration(step.busy)}</Fact>
        <Fact name="Longest wait for a worker">{duration(step.longestWait)}</Fact>
      </Facts>
      <h3>Latest calls</h3>
      {latest.length === 0 ? (
        <p class="soft">None yet.</p>
      ) : (
        <ul class="plain">
          {latest
            .slice(-mostListed)
            .reverse()
            .map((call) => (
              <li key={call.id}>
                <CallLink call={call} onSelect={onSelect} />
                <span class="soft number">
                  {" "}
                  at {duration(call.start.at)}
                  {call.end === null ? "" : `, took ${duration(call.end.at - call.start.at)}`}
                </span>
              </li>
            ))}
        </ul>
      )}
    </>
  )
}
