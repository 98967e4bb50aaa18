// The same without a framework: the client gives the handle of the run, typed by the workflow.
import { connect } from "@stepgraph/server/client"
import type { agent } from "../../agent/workflow.ts"
import { origin, token } from "./session.ts"

const remote = connect<ReturnType<typeof agent>>({ url: origin, workflow: "agent", token })
type Run = Awaited<ReturnType<typeof remote.start>>

const said = document.getElementById("said")!
const form = document.getElementById("ask") as HTMLFormElement

/** Text only: what a model writes is never HTML. */
const add = <Name extends keyof HTMLElementTagNameMap>(name: Name, text = "", to: Element = said) => {
  const element = document.createElement(name)
  element.textContent = text
  to.append(element)
  return element
}

const question = (
  run: Run,
  { id, input, tool }: { readonly id: string; readonly input: string; readonly tool: string }
) => {
  const fields = add("fieldset")
  add("legend", `Allow ${tool}?`, fields)
  add("pre", input, fields)
  for (const [name, yes] of [
    ["Approve", true],
    ["Decline", false]
  ] as const) {
    const button = add("button", name, fields)
    button.type = "button"
    button.onclick = async () => {
      fields.disabled = true
      await run.send({ _tag: "Approval", id, yes }).catch((error) => add("p", error.message))
    }
  }
}

const show = async (run: Run) => {
  let text: { readonly turn: number; readonly attempt: number; readonly shown: Element } | undefined
  for await (const event of run.events) {
    if (event._tag === "Token") {
      if (text?.turn !== event.turn) text = { ...event, shown: add("p") }
      // Its line was cut, and it begins anew.
      else if (text.attempt < event.attempt) {
        text.shown.textContent = ""
        text = { ...event, shown: text.shown }
      }
      text.shown.append(event.text)
    } else if (event._tag === "Call") add("pre", `${event.tool} ${event.input}`)
    else if (event._tag === "Question") question(run, event)
    else if (event._tag === "GaveUp") add("p", `Gave up after ${event.turns} turns.`)
  }
}

form.onsubmit = async (event) => {
  event.preventDefault()
  const input = form.elements.namedItem("task") as HTMLInputElement
  add("article", input.value).className = "user"
  try {
    await show(await remote.start({ text: input.value }))
  } catch (error) {
    add("p", (error as Error).message).role = "alert"
  }
}
