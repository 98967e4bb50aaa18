/**
 * The page.
 */
import { render } from "preact"
import { useEffect, useState } from "preact/hooks"
import {
  api,
  Failure,
  type ServerStatus,
  setToken,
  takeToken,
  type WorkflowDetail,
  type WorkflowSummary
} from "./api.ts"
import { useEvery } from "./hooks.ts"
import { go, useRoute } from "./route.ts"
import { Empty } from "./ui/parts.tsx"
import { Run } from "./ui/Run.tsx"
import { Side } from "./ui/Side.tsx"
import { Start } from "./ui/Start.tsx"
import { applyTheme } from "./ui/Theme.tsx"

const App = () => {
  const route = useRoute()
  const [flows, setFlows] = useState<ReadonlyArray<WorkflowSummary>>()
  const [failure, setFailure] = useState<Error>()
  const { explores, problems, revision } = useStatus(failure === undefined)
  const locked = failure instanceof Failure && failure.status === 401
  useEffect(() => {
    api.workflows().then(
      (flows) => {
        setFlows(flows)
        setFailure(undefined)
      },
      (error: Error) => setFailure(error)
    )
    // A server that has come back, or has loaded its files again, may have other workflows.
  }, [failure === undefined, revision])
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "/" || (event.target as Element).matches("input, textarea, select")) return
      event.preventDefault()
      document.querySelector<HTMLInputElement>("[data-search=first]")?.focus()
    }
    addEventListener("keydown", pressed)
    return () => removeEventListener("keydown", pressed)
  }, [])
  useEffect(() => {
    document.title = [route.run ?? route.workflow, "stepgraph"].filter((part) => part !== undefined).join(" · ")
  }, [route])
  if (locked) return <Unlock />
  return (
    <div class="shell">
      <Side flows={flows} route={route} onFailure={setFailure} />
      <main>
        {problems.map((problem) => (
          <pre key={problem} class="banner" role="alert">
            {problem}
          </pre>
        ))}
        {failure === undefined ? null : (
          <p class="banner" role="alert">
            {failure.message}
          </p>
        )}
        {route.run !== undefined ? (
          <Run key={route.run} id={route.run} route={route} explores={explores} />
        ) : route.workflow !== undefined ? (
          <Flow key={route.workflow} name={route.workflow} revision={revision} />
        ) : (
          <Home flows={flows} />
        )}
      </main>
    </div>
  )
}

const unchanged: ServerStatus = { revision: 0, problems: [], explores: false }

/** What a server that loads its files again says of them. */
const useStatus = (isUp: boolean): ServerStatus => {
  const [status, setStatus] = useState(unchanged)
  useEvery(1_000, () => {
    if (!isUp) return
    api.status().then(
      (next) => setStatus((old) => (JSON.stringify(old) === JSON.stringify(next) ? old : next)),
      () => {}
    )
  }, [isUp])
  return status
}

const Flow = ({ name, revision }: { readonly name: string; readonly revision: number }) => {
  const [flow, setFlow] = useState<WorkflowDetail>()
  const [error, setError] = useState<string>()
  useEffect(() => {
    api.workflow(name).then(
      (flow) => {
        setFlow(flow)
        setError(undefined)
      },
      (error: Error) => setError(error.message)
    )
  }, [name, revision])
  if (error !== undefined) {
    return (
      <div class="page">
        <Empty title="This workflow cannot be shown">
          <p>{error}</p>
        </Empty>
      </div>
    )
  }
  return flow === undefined ? <div class="page soft">Loading…</div> : <Start flow={flow} />
}

/** With one workflow, there is nothing to choose. */
const Home = ({ flows }: { readonly flows: ReadonlyArray<WorkflowSummary> | undefined }) => {
  const only = flows?.length === 1 ? flows[0]!.name : undefined
  useEffect(() => {
    if (only !== undefined) go({ workflow: only })
  }, [only])
  if (flows === undefined || only !== undefined) return null
  return (
    <div class="page">
      {flows.length === 0 ? (
        <Empty title="No workflow is served here">
          <p>
            Pass one to <code>serve({"{ workflows: [flow] }"})</code>, or export one from the file that{" "}
            <code>stepgraph dev</code> runs.
          </p>
        </Empty>
      ) : (
        <Empty title="Choose a workflow to start it, or a run to look at">
          <p>
            Press <kbd>/</kbd> to search the runs.
          </p>
        </Empty>
      )}
    </div>
  )
}

const Unlock = () => {
  const [token, type] = useState("")
  return (
    <main class="unlock">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          setToken(token.trim())
          location.reload()
        }}
      >
        <h1>This server wants a token</h1>
        <p class="soft">
          Open the link that it printed when it started, or paste the token here. It is kept for this tab alone.
        </p>
        <label>
          Token
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => type(event.currentTarget.value)}
          />
        </label>
        <div class="actions">
          <button type="submit" class="primary" disabled={token.trim() === ""}>
            Open
          </button>
        </div>
      </form>
    </main>
  )
}

takeToken()
// A link with another token, opened in the same tab.
addEventListener("hashchange", () => takeToken() && location.reload())
applyTheme()
render(<App />, document.getElementById("app")!)
