/**
 * What a run is and what can be done with it, and its result.
 */
import { timeline, toHtml } from "@stepgraph/viz"
import { api, type RunDetail } from "../api.ts"
import { age, duration, pretty } from "../format.ts"
import { useAction, useNow } from "../hooks.ts"
import { go, linkTo } from "../route.ts"
import type { RunStore } from "../run-store.ts"
import { download, Status } from "./parts.tsx"

export const Head = ({
  canEdit,
  detail,
  onDetail,
  onEdit,
  store
}: {
  readonly detail: RunDetail
  readonly store: RunStore
  readonly canEdit: boolean
  readonly onDetail: (detail: RunDetail) => void
  readonly onEdit: () => void
}) => {
  const now = useNow(1_000)
  const { act, busy, error } = useAction()
  const began = Date.parse(detail.startedAt)
  const name = `${detail.workflow}-${detail.id}`.replace(/[^\w.-]+/g, "-")
  return (
    <header class="head">
      <div>
        <p class="over">
          <a href={linkTo({ workflow: detail.workflow })}>{detail.workflow}</a>
        </p>
        <h1>
          <span class="code">{detail.id}</span> <Status status={detail.status} />
        </h1>
        <p class="soft number">
          Started {age(now - began) === "now" ? "just now" : `${age(now - began)} ago`}
          {detail.endedAt === null ? "" : `, took ${duration(Math.max(0, Date.parse(detail.endedAt) - began))}`}
          {detail.user === "" ? "" : `, by ${detail.user}`}
          {detail.rerunOf === null ? null : (
            <>
              , repeats <a href={linkTo({ run: detail.rerunOf })}>{detail.rerunOf}</a>
            </>
          )}
          {detail.parent === null ? null : (
            <>
              , inside <a href={linkTo({ run: detail.parent.run })}>{detail.parent.workflow}</a>
            </>
          )}
        </p>
      </div>
      <div class="actions">
        {detail.endedAt === null ? (
          <button
            type="button"
            class="danger"
            disabled={busy}
            onClick={() => act(async () => onDetail(await api.interrupt(detail.id)))}
          >
            Interrupt
          </button>
        ) : null}
        {detail.endedAt === null && detail.inputs === "open" ? (
          <button
            type="button"
            disabled={busy}
            onClick={() =>
              act(async () => {
                await api.closeInputs(detail.id)
                onDetail(await api.run(detail.id))
              })
            }
          >
            Close inputs
          </button>
        ) : null}
        <button
          type="button"
          disabled={busy}
          onClick={() => act(async () => go({ run: (await api.rerun(detail.id)).id }))}
        >
          Run again
        </button>
        {canEdit ? (
          <button type="button" onClick={onEdit}>
            Edit and run again
          </button>
        ) : null}
        <button
          type="button"
          onClick={() => download(`${name}.json`, "application/json", JSON.stringify(store.entries))}
        >
          Download trace
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => act(async () => download(`${name}.html`, "text/html", toHtml(timeline(store.entries))))}
        >
          Download page
        </button>
        {error === undefined ? null : (
          <p class="bad" role="alert">
            {error}
          </p>
        )}
      </div>
    </header>
  )
}

export const Outcome = ({ detail: { error, stop } }: { readonly detail: RunDetail }) => {
  if (error !== null) {
    const { _tag, message, name, ...fields } = error
    return (
      <section class="card failed" aria-label="Error">
        <h2>{_tag ?? name ?? "Error"}</h2>
        <pre>{message}</pre>
        {Object.keys(fields).length === 0 ? null : <pre>{pretty(fields)}</pre>}
      </section>
    )
  }
  if (stop === null) return null
  const { _tag, ...fields } = stop as { readonly _tag?: string }
  return (
    <section class="card" aria-label="Result">
      <h2>{_tag}</h2>
      {Object.keys(fields).length === 0 ? (
        <p class="soft">It has no fields.</p>
      ) : (
        <pre class="result">{pretty(fields)}</pre>
      )}
    </section>
  )
}
