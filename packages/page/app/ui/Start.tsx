/**
 * A workflow: its picture, and a form that starts a run.
 */
import { useEffect, useId, useState } from "preact/hooks"
import { addressOf, api, type Json, type WorkflowDetail } from "../api.ts"
import { brief } from "../format.ts"
import { useAction } from "../hooks.ts"
import { go } from "../route.ts"
import { emptyOf, formOf } from "../schema.ts"
import { Editor } from "./Form.tsx"
import { Graph } from "./Graph.tsx"
import { Copy } from "./parts.tsx"

export const Start = ({ flow }: { readonly flow: WorkflowDetail }) => (
  <div class="page">
    <header class="head">
      <div>
        <p class="over">Workflow</p>
        <h1>{flow.name}</h1>
      </div>
    </header>
    <section class="card" aria-label="Start a run">
      <h2>Start a run</h2>
      <StartForm flow={flow} />
    </section>
    <section class="card" aria-label="Graph">
      <h2>Graph</h2>
      <Graph graph={flow.graph} />
    </section>
  </div>
)

/** `input` and `rerun`: to edit the input of a run, and run it again. */
export const StartForm = ({
  flow,
  input,
  rerun
}: {
  readonly flow: WorkflowDetail
  readonly input?: Json
  readonly rerun?: string
}) => {
  const tag = flow.graph.start
  const field = formOf(flow.schemas.start[tag])
  const [value, setValue] = useState<Json>(() => untagged(input ?? (field === undefined ? {} : emptyOf(field))))
  const [broken, setBroken] = useState(false)
  const { act, busy, error } = useAction()
  const start = () =>
    act(async () => {
      const run = rerun === undefined ? await api.start(flow.name, value) : await api.rerun(rerun, value)
      go({ run: run.id })
    })
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!broken) start()
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !broken) start()
      }}
    >
      {rerun === undefined ? <Last flow={flow} onPick={(input) => setValue(untagged(input))} /> : null}
      <Editor field={field} label={tag} value={value} onChange={setValue} onBroken={setBroken} />
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || broken}>
          {busy ? "Starting…" : rerun === undefined ? "Start" : "Run again with this"}
        </button>
        <span class="soft keys">Ctrl Enter</span>
        <span class="space" />
        <Copy label="Copy as curl" text={() => curl(flow.name, value)} />
        <Copy label="Copy as TypeScript" text={() => typescript(flow.name, value)} />
      </div>
      {error === undefined ? null : (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
    </form>
  )
}

/** What the last runs were started with, as the server shows it: without secrets. */
const Last = ({ flow, onPick }: { readonly flow: WorkflowDetail; readonly onPick: (input: Json) => void }) => {
  const id = useId()
  const [inputs, setInputs] = useState<ReadonlyArray<Json>>([])
  useEffect(() => {
    let gone = false
    const load = async () => {
      const { runs } = await api.runs({ workflow: flow.name, limit: "8" })
      const all = await Promise.all(runs.map(({ id }) => api.run(id).then(({ input }) => input)))
      const seen = new Map(all.map((input) => [JSON.stringify(input), input]))
      if (!gone) setInputs([...seen.values()].slice(0, 6))
    }
    load().catch(() => {})
    return () => {
      gone = true
    }
  }, [flow.name])
  if (inputs.length === 0) return null
  return (
    <div class="last">
      <label for={id} class="soft">
        Last inputs
      </label>
      <select
        id={id}
        value=""
        onChange={({ currentTarget }) => {
          const picked = inputs[Number(currentTarget.value)]
          if (currentTarget.value !== "" && picked !== undefined) onPick(picked)
          currentTarget.value = ""
        }}
      >
        <option value="">Fill in from an earlier run…</option>
        {inputs.map((input, i) => (
          <option key={i} value={i}>
            {brief(untagged(input), 90)}
          </option>
        ))}
      </select>
    </div>
  )
}

const untagged = (input: Json): Json =>
  typeof input === "object" && input !== null && !Array.isArray(input)
    ? Object.fromEntries(Object.entries(input).filter(([name]) => name !== "_tag"))
    : input

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The token stays out of what is copied: it would end in a shell's history. */
export const curl = (name: string, value: Json): string =>
  [
    `curl -X POST ${quoted(`${addressOf(`workflows/${encodeURIComponent(name)}/runs`)}?wait=30s`)}`,
    `-H 'Content-Type: application/json'`,
    `-H "Authorization: Bearer $STEPGRAPH_TOKEN"`,
    `-d ${quoted(JSON.stringify(value))}`
  ].join(" \\\n  ")

export const typescript = (name: string, value: Json): string =>
  [
    `import { connect } from "@stepgraph/server/client"`,
    `import type { flow } from "./flow.ts"`,
    "",
    "const connection = connect<typeof flow>({",
    `  url: ${JSON.stringify(addressOf("..").replace(/\/$/, ""))},`,
    `  workflow: ${JSON.stringify(name)},`,
    "  token: process.env.STEPGRAPH_TOKEN!",
    "})",
    `const run = await connection.start(${JSON.stringify(value, null, 2)})`,
    "console.log(await run.result)",
    ""
  ].join("\n")
