/** The playground: a program on the left, and on the right what it did. */
import { useEffect, useRef, useState } from "preact/hooks"
import { createEditor, type Editor } from "./editor.ts"
import { examples } from "./examples.ts"
import type { Failure } from "./protocol.ts"
import { openSandbox, type Sandbox } from "./sandbox.ts"
import { fromFragment, longest, toFragment } from "./share.ts"
import { after, nothing, type Shown } from "./state.ts"

/** An image cannot act on the page, whatever its text says. */
const Picture = ({ text, alt }: { readonly text: string; readonly alt: string }) => (
  <div class="pg-picture">
    <img alt={alt} src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`} />
  </div>
)

const Answer = ({
  inputs,
  refused,
  send,
  close
}: {
  readonly inputs: Shown["inputs"]
  readonly refused: string
  readonly send: (event: unknown) => void
  readonly close: () => void
}) => {
  const [tag, setTag] = useState(inputs[0]!.tag)
  const template = (tag: string) => {
    const fields = inputs.find((input) => input.tag === tag)?.fields ?? []
    return JSON.stringify(Object.fromEntries(fields.map((field) => [field, ""])))
  }
  const [text, setText] = useState(template(tag))
  const [wrong, setWrong] = useState("")
  return (
    <form
      class="pg-answer"
      onSubmit={(event) => {
        event.preventDefault()
        try {
          send({ ...JSON.parse(text), _tag: tag })
          setWrong("")
        } catch {
          setWrong("These fields are not JSON.")
        }
      }}
    >
      <label>
        Send{" "}
        <select
          value={tag}
          onChange={({ currentTarget }) => {
            setTag(currentTarget.value)
            setText(template(currentTarget.value))
          }}
        >
          {inputs.map(({ tag }) => (
            <option key={tag}>{tag}</option>
          ))}
        </select>
      </label>
      <input aria-label="Fields, as JSON" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
      <button type="submit">Send</button>
      <button type="button" onClick={close}>
        Close the inputs
      </button>
      {(wrong || refused) && <p class="pg-bad">{wrong || refused}</p>}
    </form>
  )
}

const Failures = ({ failures }: { readonly failures: ReadonlyArray<Failure> }) => (
  <ol class="pg-failures">
    {failures.map(({ outcome, rule, story, timeline, usual }, index) => (
      <li key={index}>
        <details open={index === 0}>
          <summary>
            breaks <code>{rule}</code>: {outcome}
            <span class="pg-soft"> instead of {usual}</span>
          </summary>
          <Picture text={timeline} alt={`The timeline of the order that breaks ${rule}`} />
          <pre>{story}</pre>
        </details>
      </li>
    ))}
  </ol>
)

const Orders = ({ shown: { busy, explored, orders } }: { readonly shown: Shown }) => {
  if (busy === "explore") return <p>{orders === 0 ? "Trying orders…" : `Tried ${orders} orders…`}</p>
  if (explored === undefined)
    return <p class="pg-soft">Explore runs the workflow in every order in which its events could come.</p>
  const { complete, failures, outcomes } = explored
  const tried = complete ? `All ${orders} orders were tried` : `${orders} orders were tried, and there are more`
  return (
    <>
      <p class={failures.length === 0 ? "pg-good" : "pg-bad"}>
        {tried}:{" "}
        {failures.length === 0
          ? "no rule was broken."
          : `${failures.length} ${failures.length === 1 ? "failure" : "failures"}.`}
      </p>
      <Failures failures={failures} />
      <h3>Results</h3>
      <ul>
        {outcomes.map((text) => (
          <li key={text}>
            <code>{text}</code>
          </li>
        ))}
      </ul>
    </>
  )
}

const tabs = ["Run", "Events", "Orders"] as const
type Tab = (typeof tabs)[number]

export const App = () => {
  const field = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor>()
  const sandbox = useRef<Sandbox>()
  const [shown, setShown] = useState(nothing)
  const [tab, setTab] = useState<Tab>("Run")
  const [note, setNote] = useState("")
  const [example, setExample] = useState(0)

  const stop = () => {
    sandbox.current?.stop()
    sandbox.current = undefined
  }

  const start = async (task: "run" | "explore") => {
    stop()
    setNote("")
    setShown({ ...nothing, busy: task })
    if (task === "explore") setTab("Orders")
    else setTab((tab) => (tab === "Orders" ? "Run" : tab))
    const source = editor.current!.read()
    const opened: Sandbox = await openSandbox((report) => {
      if (sandbox.current !== opened) return
      if (report.report === "ready") opened.post({ task, source })
      setShown((shown) => after(shown, report))
    })
    sandbox.current = opened
  }

  useEffect(() => {
    let there = true
    // A program from a link is shown, and never run by itself.
    const open = async () => {
      const given = await fromFragment(location.hash)
      if (!there) return
      if (given !== undefined) setExample(-1)
      if (given === undefined && location.hash.startsWith("#code="))
        setNote("The link has no program that can be read.")
      if (editor.current === undefined) {
        editor.current = createEditor(
          field.current!,
          given ?? examples[0]!.source,
          () => void start("run"),
          () => setNote("")
        )
      } else if (given !== undefined) editor.current.write(given)
    }
    void open()
    window.addEventListener("hashchange", open)
    return () => {
      there = false
      stop()
      window.removeEventListener("hashchange", open)
    }
  }, [])

  const share = async () => {
    const source = editor.current!.read()
    if (source.length > longest) return setNote("The program is too long for a link.")
    const fragment = await toFragment(source)
    history.replaceState(history.state, "", `#${fragment}`)
    const copied = await navigator.clipboard?.writeText(location.href).then(
      () => true,
      () => false
    )
    setNote(
      copied
        ? "The link is copied. It holds the whole program."
        : "The address of this page now holds the whole program."
    )
  }

  const { busy, end, events, graph, inputs, logs, name, refused, timeline } = shown
  return (
    <div class="pg">
      <div class="pg-bar">
        <select
          aria-label="Example"
          value={example}
          onChange={({ currentTarget }) => {
            const index = Number(currentTarget.value)
            stop()
            setExample(index)
            setShown(nothing)
            setTab("Run")
            editor.current?.write(examples[index]!.source)
            history.replaceState(history.state, "", location.pathname)
          }}
        >
          {example === -1 && <option value={-1}>From a link</option>}
          {examples.map(({ name }, index) => (
            <option key={name} value={index}>
              {name}
            </option>
          ))}
        </select>
        <button type="button" class="pg-main" onClick={() => void start("run")} title="Ctrl+Enter in the program">
          Run
        </button>
        <button type="button" onClick={() => void start("explore")}>
          Explore
        </button>
        <button
          type="button"
          disabled={busy === undefined}
          onClick={() => {
            stop()
            setShown((shown) => ({
              ...shown,
              busy: undefined,
              inputs: [],
              end: { failed: true, text: "You stopped it." }
            }))
          }}
        >
          Stop
        </button>
        <button type="button" onClick={() => void share()}>
          Share
        </button>
        <span class="pg-note" role="status">
          {note}
        </span>
      </div>
      <div class="pg-field" ref={field} />
      <div class="pg-shown">
        <div class="pg-tabs" role="tablist">
          {tabs.map((one) => (
            <button type="button" role="tab" key={one} aria-selected={one === tab} onClick={() => setTab(one)}>
              {one}
            </button>
          ))}
        </div>
        <div class="pg-panel" role="tabpanel">
          {tab === "Run" && (
            <>
              {graph === undefined && <p class="pg-soft">Run it, to see its graph, and when its steps ran.</p>}
              {graph !== undefined && <Picture text={graph} alt={`The graph of workflow ${name}`} />}
              {timeline !== undefined && <Picture text={timeline} alt={`The timeline of a run of ${name}`} />}
            </>
          )}
          {tab === "Events" && (
            <ol class="pg-events">
              {events.map(({ at, text }, index) => (
                <li key={index}>
                  <span class="pg-soft">{Math.round(at)} ms</span> {text}
                </li>
              ))}
            </ol>
          )}
          {tab === "Orders" && <Orders shown={shown} />}
        </div>
        {inputs.length > 0 && (
          <Answer
            inputs={inputs}
            refused={refused}
            send={(event) => {
              setShown((shown) => ({ ...shown, refused: "" }))
              sandbox.current?.post({ task: "send", event })
            }}
            close={() => sandbox.current?.post({ task: "close" })}
          />
        )}
        <div class="pg-out" aria-live="polite">
          {logs.map(({ kind, text }, index) => (
            <pre key={index} class={kind === "error" ? "pg-bad" : ""}>
              {text}
            </pre>
          ))}
          {busy !== undefined && <p class="pg-soft">{busy === "run" ? "Running…" : "Exploring…"}</p>}
          {end !== undefined && end.text !== "" && <pre class={end.failed ? "pg-bad" : "pg-good"}>{end.text}</pre>}
        </div>
      </div>
    </div>
  )
}
