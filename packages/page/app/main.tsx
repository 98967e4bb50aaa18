/**
 * The page.
 */
import { render } from "preact"
import { useEffect, useState } from "preact/hooks"
import { api, Failure, setToken, takeToken, type WorkflowDetail, type WorkflowSummary } from "./api.ts"
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
  const locked = failure instanceof Failure && failure.status === 401
  useEffect(() => {
    api.workflows().then(
      (flows) => {
        setFlows(flows)
        setFailure(undefined)
      },
      (error: Error) => setFailure(error)
    )
    // A server that has come back may have other workflows.
  }, [failure === undefined])
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
        {failure === undefined ? null : (
          <p class="banner" role="alert">
            {failure.message}
          </p>
        )}
        {route.run !== undefined ? (
          <Run key={route.run} id={route.run} route={route} />
        ) : route.workflow !== undefined ? (
          <Flow key={route.workflow} name={route.workflow} />
        ) : (
          <Home flows={flows} />
        )}
      </main>
    </div>
  )
}

const Flow = ({ name }: { readonly name: string }) => {
  const [flow, setFlow] = useState<WorkflowDetail>()
  const [error, setError] = useState<string>()
  useEffect(() => {
    api.workflow(name).then(setFlow, (error: Error) => setError(error.message))
  }, [name])
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
