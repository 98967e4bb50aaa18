/**
 * What the run waits for, in words; and a form for whatever somebody outside can send.
 */
import { useState } from "preact/hooks"
import type { Graph } from "stepgraph/graph"
import { api, type Json, type RunDetail, type WorkflowDetail } from "../api.ts"
import { pretty } from "../format.ts"
import { useAction, useNow, useStore } from "../hooks.ts"
import type { RunStore } from "../run-store.ts"
import { emptyOf, formOf } from "../schema.ts"
import { reasonsOf } from "../words.ts"
import { Editor } from "./Form.tsx"

interface Props {
  readonly detail: RunDetail
  readonly store: RunStore
  readonly graph: Graph | undefined
}

export const Reasons = ({ detail, graph, store }: Props) => {
  useStore(store)
  useNow(1_000)
  const { model } = store
  if (!store.isLive || detail.endedAt !== null) return null
  const reasons = reasonsOf(detail, model, graph, Math.max(model.last.at, Date.now() - model.began))
  return (
    <section class="card" aria-label="What is it waiting for?">
      <h2>What is it waiting for?</h2>
      {reasons.length === 0 ? (
        <p class="soft">Nothing is known: the run may end at any moment, or wait for an input.</p>
      ) : (
        <ul class="reasons">
          {reasons.map(({ outside, step, text }, i) => (
            <li key={`${step}${i}`} class={outside ? "outside" : ""}>
              <strong>{step}</strong> {text}.
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Questions first, then inputs that an intake lacks, then all others. */
export const ForYou = ({ detail, flow }: { readonly detail: RunDetail; readonly flow: WorkflowDetail }) => {
  if (detail.endedAt !== null) return null
  const { inputs } = flow.graph
  const needed = inputs.filter((tag) => detail.waiting.some(({ needs }) => Object.hasOwn(needs, tag)))
  const asked = new Set(detail.questions.flatMap(({ awaits }) => awaits))
  const direct = needed.filter((tag) => !asked.has(tag))
  const others = inputs.filter((tag) => !direct.includes(tag))
  const isOpen = detail.inputs === "open"
  if (detail.questions.length === 0 && (inputs.length === 0 || !isOpen)) return null
  return (
    <section class="card attention" aria-label="Waiting for you">
      <h2>{detail.questions.length > 0 || direct.length > 0 ? "Waiting for you" : "Send an input"}</h2>
      {detail.questions.map(({ awaits, question, step }, i) => (
        <article key={`${step}${i}`} class="question">
          <p>
            <strong>{step}</strong> asks:
          </p>
          <Asked question={question} />
          {awaits.map((tag) => (
            <Answer key={tag} flow={flow} run={detail.id} tag={tag} like={question} verb="Answer" />
          ))}
        </article>
      ))}
      {isOpen ? direct.map((tag) => <Answer key={tag} flow={flow} run={detail.id} tag={tag} verb="Send" />) : null}
      {isOpen && others.length > 0 ? (
        <details open={detail.questions.length === 0 && direct.length === 0}>
          <summary>
            {detail.questions.length > 0 || direct.length > 0 ? "Send another input" : "Inputs that it takes"}
          </summary>
          {others.map((tag) => (
            <Answer key={tag} flow={flow} run={detail.id} tag={tag} verb="Send" />
          ))}
        </details>
      ) : null}
    </section>
  )
}

const Asked = ({ question }: { readonly question: Json }) => {
  const fields =
    typeof question === "object" && question !== null
      ? Object.entries(question).filter(([name]) => name !== "_tag")
      : []
  if (fields.length === 0) return <pre class="asked">{pretty(question)}</pre>
  return (
    <dl class="facts asked">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "string" ? value : pretty(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

const Answer = ({
  flow,
  like,
  run,
  tag,
  verb
}: {
  readonly flow: WorkflowDetail
  readonly run: string
  readonly tag: string
  readonly verb: string
  /** The question: fields of the answer with the same name, such as an id, are filled in. */
  readonly like?: Json
}) => {
  const field = formOf(flow.schemas.inputs[tag])
  const fresh = (): Json => {
    const empty = field === undefined ? {} : emptyOf(field)
    if (typeof like !== "object" || like === null || typeof empty !== "object" || empty === null) return empty
    return Object.fromEntries(
      Object.entries(empty).map(([name, value]) => {
        const given = (like as Record<string, Json>)[name]
        return [name, typeof given === typeof value && given !== null ? given : value]
      })
    )
  }
  const [value, setValue] = useState<Json>(fresh)
  const [broken, setBroken] = useState(false)
  const [sent, setSent] = useState(0)
  // One key for each answer: a second click sends it no second time.
  const [key, setKey] = useState(() => crypto.randomUUID())
  const { act, busy, error } = useAction()
  return (
    <form
      class="answer"
      noValidate
      aria-label={tag}
      onSubmit={(event) => {
        event.preventDefault()
        if (broken) return
        act(async () => {
          await api.send(run, { _tag: tag, ...(value as object) }, key)
          setKey(crypto.randomUUID())
          setValue(fresh())
          setSent((n) => n + 1)
        })
      }}
    >
      <h3>{tag}</h3>
      <Editor field={field} label={tag} value={value} onChange={setValue} onBroken={setBroken} />
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || broken}>
          {busy ? "Sending…" : `${verb} ${tag}`}
        </button>
        <span class="soft" role="status">
          {sent === 0 ? "" : sent === 1 ? "Sent." : `Sent ${sent}.`}
        </span>
      </div>
      {error === undefined ? null : (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
    </form>
  )
}
