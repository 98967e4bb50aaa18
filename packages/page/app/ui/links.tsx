/**
 * What the details of events and calls are made of: facts, payloads, and links from one to another.
 */
import type { ComponentChildren } from "preact"
import type { EventModel, InvocationModel, RunModel } from "stepgraph/trace"
import { brief, number, pretty } from "../format.ts"
import { isPaused } from "../run-store.ts"
import { Copy, type Pane, Status } from "./parts.tsx"

export type Select = Pane["onSelect"]

/** What a part that leads from one thing of a run to others needs. */
export interface Linked {
  readonly model: RunModel
  readonly onSelect: Select
}

/** Longer lists and texts are cut until somebody asks for more. */
export const mostListed = 30
const mostText = 20_000

export const Facts = ({ children }: { readonly children: ComponentChildren }) => <dl class="facts">{children}</dl>
export const Fact = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd class="number">{children}</dd>
  </div>
)

export const Payload = ({ value }: { readonly value: unknown }) => {
  const text = pretty(value)
  if (text === "{}") return <p class="soft">It has no fields.</p>
  const isLong = text.length > mostText
  return (
    <div class="payload">
      <pre>{isLong ? `${text.slice(0, mostText)}…` : text}</pre>
      <Copy label={isLong ? `Copy all ${number(text.length)} characters` : "Copy"} text={() => text} />
    </div>
  )
}

export const EventLink = ({ event, onSelect }: { readonly event: EventModel; readonly onSelect: Select }) => (
  <button type="button" class="link" onClick={() => onSelect({ kind: "event", id: event.id })}>
    {event.tag}
  </button>
)

export const EventRef = ({ id, model, onSelect }: Linked & { readonly id: string }) => {
  const event = model.events.get(id)
  return event === undefined ? <span>{id}</span> : <EventLink event={event} onSelect={onSelect} />
}

export const CallLink = ({ call, onSelect }: { readonly call: InvocationModel; readonly onSelect: Select }) => (
  <>
    <button type="button" class="link" onClick={() => onSelect({ kind: "call", id: call.id })}>
      {call.step}
    </button>
    {call.outcome === "succeeded" ? null : <Status status={isPaused(call) ? "waiting" : call.outcome} />}
  </>
)

interface ListProps extends Linked {
  readonly ids: ReadonlyArray<string>
  readonly none: string
}

export const EventList = ({ ids, model, none, onSelect }: ListProps) =>
  ids.length === 0 ? (
    <p class="soft">{none}</p>
  ) : (
    <ul class="plain">
      {ids.slice(0, mostListed).map((id) => (
        <li key={id}>
          <EventRef model={model} id={id} onSelect={onSelect} />{" "}
          <span class="code soft">{brief(model.events.get(id)?.data, 80)}</span>
        </li>
      ))}
      {ids.length > mostListed ? <li class="soft">and {number(ids.length - mostListed)} more</li> : null}
    </ul>
  )

export const CallList = ({ ids, model, none, onSelect }: ListProps) =>
  ids.length === 0 ? (
    <p class="soft">{none}</p>
  ) : (
    <ul class="plain">
      {ids.slice(0, mostListed).map((id) => {
        const call = model.invocations.get(id)
        return (
          <li key={id}>
            {call === undefined ? id : <CallLink call={call} onSelect={onSelect} />}
            {call === undefined || call.emitted.length === 0 ? null : (
              <span class="soft">
                {" "}
                →{" "}
                {brief([...new Set(call.emitted.map((one) => model.events.get(one)?.tag))].join(", "), 80).slice(1, -1)}
              </span>
            )}
          </li>
        )
      })}
    </ul>
  )
