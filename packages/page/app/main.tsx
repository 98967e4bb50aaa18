import { render } from "preact"
import { useEffect, useState } from "preact/hooks"
import { api, takeToken, type WorkflowSummary } from "./api.ts"

takeToken()

const App = () => {
  const [flows, setFlows] = useState<ReadonlyArray<WorkflowSummary>>([])
  useEffect(() => {
    api.workflows().then(setFlows, console.error)
  }, [])
  return (
    <main>
      <h1>stepgraph</h1>
      <ul>
        {flows.map(({ name }) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </main>
  )
}

render(<App />, document.getElementById("app")!)
