/**
 * The workflows, and the runs: newest first.
 */
import { useRef, useState } from "preact/hooks"
import { api, Failure, type RunSummary, type WorkflowSummary } from "../api.ts"
import { age } from "../format.ts"
import { useDebounced, useEvery, useNow } from "../hooks.ts"
import { linkTo, type Route } from "../route.ts"
import { wordOf } from "./parts.tsx"
import { ThemeSwitch } from "./Theme.tsx"

const states = ["running", "waiting", "stopped", "failed", "interrupted"]

export const Side = ({
  flows,
  onFailure,
  route
}: {
  readonly flows: ReadonlyArray<WorkflowSummary> | undefined
  readonly route: Route
  readonly onFailure: (error: Error | undefined) => void
}) => (
  <nav class="side" aria-label="Workflows and runs">
    <a class="brand" href="#/">
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <path d="M4 10h5l4-5h3M9 10l4 5h3" fill="none" stroke="currentColor" stroke-width="1.8" />
        <circle cx="4" cy="10" r="2.4" fill="currentColor" />
        <circle cx="16" cy="5" r="2.4" fill="currentColor" />
        <circle cx="16" cy="15" r="2.4" fill="currentColor" />
      </svg>
      stepgraph
      <ThemeSwitch />
    </a>
    <h2 class="over">Workflows</h2>
    {flows?.length === 0 ? (
      <p class="soft pad">
        No workflow is served here. Pass one to serve(), or export one from the file that dev runs.
      </p>
    ) : null}
    <ul class="flows">
      {flows?.map(({ name }) => (
        <li key={name}>
          <a href={linkTo({ workflow: name })} aria-current={route.workflow === name ? "page" : undefined}>
            {name}
          </a>
        </li>
      ))}
    </ul>
    <Runs route={route} flows={flows ?? []} onFailure={onFailure} />
  </nav>
)

const Runs = ({
  flows,
  onFailure,
  route
}: {
  readonly route: Route
  readonly flows: ReadonlyArray<WorkflowSummary>
  readonly onFailure: (error: Error | undefined) => void
}) => {
  const [search, setSearch] = useState("")
  const [status, setStatus] = useState("")
  const [workflow, setWorkflow] = useState("")
  const [limit, setLimit] = useState(50)
  const [page, setPage] = useState<{ readonly runs: ReadonlyArray<RunSummary>; readonly more: boolean }>()
  const wanted = useDebounced(search.trim(), 200)
  const turn = useRef(0)
  const now = useNow(1_000)
  useEvery(1_000, () => {
    const mine = ++turn.current
    const query: Record<string, string> = { limit: String(limit) }
    if (wanted !== "") query.q = wanted
    if (status !== "") query.status = status
    if (workflow !== "") query.workflow = workflow
    api.runs(query).then(
      ({ next, runs }) => {
        if (mine !== turn.current) return
        setPage({ runs, more: next !== null })
        onFailure(undefined)
      },
      (error: Error) => {
        if (mine === turn.current && error instanceof Failure) onFailure(error)
      }
    )
  }, [wanted, status, workflow, limit])
  const filtered = wanted !== "" || status !== "" || workflow !== ""
  return (
    <>
      <h2 class="over">Runs</h2>
      <div class="filters">
        <input
          type="search"
          aria-label="Search runs"
          placeholder="Search runs   /"
          data-search="first"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <select aria-label="Status" value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
          <option value="">Any status</option>
          {states.map((state) => (
            <option key={state} value={state}>
              {wordOf(state)}
            </option>
          ))}
        </select>
        {flows.length < 2 ? null : (
          <select aria-label="Workflow" value={workflow} onChange={(event) => setWorkflow(event.currentTarget.value)}>
            <option value="">Any workflow</option>
            {flows.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </div>
      {page?.runs.length === 0 ? (
        <p class="soft pad">
          {filtered ? "No run fits. Search for less." : "No runs yet. Choose a workflow, and start one."}
        </p>
      ) : null}
      <ul class="runs">
        {page?.runs.map(({ id, startedAt, status, workflow }) => (
          <li key={id}>
            <a href={linkTo({ run: id })} aria-current={route.run === id ? "page" : undefined}>
              <span class={`dot ${status}`} role="img" aria-label={wordOf(status)} />
              <span class="what">
                {workflow}
                <span class="code soft">{id}</span>
              </span>
              <span class="soft number">{age(now - Date.parse(startedAt))}</span>
            </a>
          </li>
        ))}
      </ul>
      {page?.more ? (
        <button
          type="button"
          class="quiet"
          onClick={() => setLimit(Math.min(500, limit + 100))}
          disabled={limit >= 500}
        >
          {limit >= 500 ? "Search to find older ones" : "Show more"}
        </button>
      ) : null}
    </>
  )
}
