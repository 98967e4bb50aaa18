// The chat with the AI SDK: `useChat` shows the run as the assistant's message, and takes it up again.
import { useChat } from "@ai-sdk/react"
import { connect } from "@stepgraph/server/client"
import { DefaultChatTransport, type UIMessage } from "ai"
import { StrictMode, useEffect, useState } from "react"
import { createRoot } from "react-dom/client"
import type { agent } from "../../agent/workflow.ts"
import { chat, origin, token } from "./session.ts"

type Flow = ReturnType<typeof agent>
interface Call {
  readonly id: string
  readonly tool: string
  readonly input: string
}
type AgentMessage = UIMessage<unknown, { Call: Call; Question: Call; GaveUp: { readonly turns: number } }>

const remote = connect<Flow>({ url: origin, workflow: "agent", token })
const transport = new DefaultChatTransport<AgentMessage>({
  api: "/api/chats/agent",
  headers: { authorization: `Bearer ${token}` }
})

/** The conversation, for this browser's other tabs and for the page when it is loaded again. */
const kept = `chat ${chat}`
const before: Array<AgentMessage> = JSON.parse(localStorage.getItem(kept) ?? "[]")

const Question = ({ run, call, isOpen }: { readonly run: string; readonly call: Call; readonly isOpen: boolean }) => {
  const [answer, setAnswer] = useState<boolean>()
  const [problem, setProblem] = useState("")
  const say = async (yes: boolean) => {
    setAnswer(yes)
    try {
      // The id of the message is that of its run.
      await remote.run(run).send({ _tag: "Approval", id: call.id, yes })
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const disabled = !isOpen || answer !== undefined
  return (
    <fieldset disabled={disabled}>
      <legend>Allow {call.tool}?</legend>
      <pre>{call.input}</pre>
      <button type="button" onClick={() => say(true)}>
        Approve
      </button>{" "}
      <button type="button" onClick={() => say(false)}>
        Decline
      </button>
      {problem !== "" && <p role="alert">{problem}</p>}
    </fieldset>
  )
}

const Message = ({ message, isLive }: { readonly message: AgentMessage; readonly isLive: boolean }) => {
  // Once the agent says something after a question, it has been answered, here or in another tab.
  const lastText = message.parts.findLastIndex(({ type }) => type === "text")
  return (
    <article className={message.role}>
      {message.parts.map((part, at) => {
        const key = `${part.type} ${at}`
        // React shows text as text: what a model writes is never HTML.
        if (part.type === "text") return <p key={key}>{part.text}</p>
        if (part.type === "data-Call") {
          return (
            <pre key={key}>
              {part.data.tool} {part.data.input}
            </pre>
          )
        }
        if (part.type === "data-Question") {
          return <Question key={key} run={message.id} call={part.data} isOpen={isLive && at > lastText} />
        }
        return part.type === "data-GaveUp" ? <p key={key}>Gave up after {part.data.turns} turns.</p> : null
      })}
    </article>
  )
}

const Chat = () => {
  const [text, setText] = useState("Summarise my notes.")
  const { messages, sendMessage, status, stop, error } = useChat<AgentMessage>({
    id: chat,
    messages: before,
    transport,
    resume: true
  })
  useEffect(() => localStorage.setItem(kept, JSON.stringify(messages)), [messages])
  const isBusy = status === "submitted" || status === "streaming"
  /** Stops reading, and the run too: it would go on for another reader. */
  const end = async () => {
    const run = messages.at(-1)
    await stop()
    if (run?.role === "assistant") await remote.run(run.id).interrupt()
  }
  return (
    <>
      <section aria-live="polite">
        {messages.map((message, at) => (
          <Message key={message.id} message={message} isLive={isBusy && at === messages.length - 1} />
        ))}
        {error !== undefined && <p role="alert">{error.message}</p>}
      </section>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void sendMessage({ text })
          setText("")
        }}
      >
        <label>
          Task <input value={text} onChange={(event) => setText(event.target.value)} disabled={isBusy} />
        </label>
        {/* Two buttons, not one that changes under the click: stopping would send. */}
        {isBusy ? (
          <button key="stop" type="button" onClick={end}>
            Stop
          </button>
        ) : (
          <button key="send" type="submit">
            Send
          </button>
        )}
      </form>
    </>
  )
}

createRoot(document.getElementById("chat")!).render(
  <StrictMode>
    <Chat />
  </StrictMode>
)
