/**
 * Every order: tries the workflow with this input in all of them, and opens those that break a rule beside the usual one.
 */
import { useEffect, useState } from "preact/hooks"
import { api, type Exploration, type FoundOrder, type Json, type RunDetail, type WorkflowDetail } from "../api.ts"
import { brief, count, cut, number, pretty } from "../format.ts"
import { useAction, useStore } from "../hooks.ts"
import { linkTo } from "../route.ts"
import type { RunStore } from "../run-store.ts"
import { Copy } from "./parts.tsx"

interface Seen {
  readonly exploration: Exploration | null
  readonly onExploration: (exploration: Exploration | null) => void
}

/** The last exploration of the server, fresh as long as it goes on. */
export const useExploration = (offered: boolean): Seen => {
  const [exploration, setExploration] = useState<Exploration | null>(null)
  const goesOn = exploration?.state === "running"
  useEffect(() => {
    if (!offered) return
    const ask = () => {
      api.exploration().then(setExploration, () => {})
    }
    ask()
    if (!goesOn) return
    const timer = setInterval(() => document.hidden || ask(), 500)
    return () => clearInterval(timer)
  }, [offered, goesOn])
  return { exploration, onExploration: setExploration }
}

export const Orders = ({
  detail,
  exploration,
  flow,
  onExploration,
  store
}: Seen & { readonly detail: RunDetail; readonly flow: WorkflowDetail; readonly store: RunStore }) => {
  const { act, busy, error } = useAction()
  const goesOn = exploration?.state === "running"
  const cancel = () => act(async () => onExploration(await api.cancelExploration()))
  return (
    <div class="orders">
      {goesOn ? (
        <div class="tools">
          <span aria-live="polite">
            Trying the orders of <strong>{exploration.workflow}</strong>: {number(exploration.schedules)} of at most{" "}
            {number(exploration.most)}.
          </span>
          <progress max={exploration.most} value={exploration.schedules} aria-label="Orders tried" />
          <button type="button" disabled={busy} onClick={cancel}>
            Cancel
          </button>
        </div>
      ) : (
        <Begin
          flow={flow}
          store={store}
          busy={busy}
          onBegin={(asked) =>
            act(async () => onExploration(await api.explore(flow.name, { ...asked, run: detail.id })))
          }
        />
      )}
      {error === undefined ? null : (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      {exploration === null || exploration.workflow !== flow.name ? null : (
        <Found exploration={exploration} at={detail.id} />
      )}
    </div>
  )
}

type Asked = Omit<Parameters<typeof api.explore>[1], "run">

/** What was sent to the run from outside, after its start event. */
const sentTo = (store: RunStore): ReadonlyArray<Json> =>
  [...store.model.events.values()]
    .filter(({ cause }) => cause === null)
    .slice(1)
    .map(({ data, tag }) => ({ _tag: tag, ...(data as object) }))

const parsed = (text: string): ReadonlyArray<Json> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const Begin = ({
  busy,
  flow,
  onBegin,
  store
}: {
  readonly flow: WorkflowDetail
  readonly store: RunStore
  readonly busy: boolean
  readonly onBegin: (asked: Asked) => void
}) => {
  useStore(store)
  const [schedules, setSchedules] = useState(1_000)
  const [seconds, setSeconds] = useState(20)
  const [virtual, setVirtual] = useState(true)
  const [sameResult, setSameResult] = useState(true)
  const [typed, setTyped] = useState<string>()
  const takesInputs = flow.graph.inputs.length > 0
  const text = typed ?? (takesInputs ? pretty(sentTo(store)) : "[]")
  const sends = parsed(text)
  const whole = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most
  const fits = sends !== undefined && whole(schedules, 100_000) && whole(seconds, 300)
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (fits) onBegin({ schedules, seconds, timers: virtual ? "virtual" : "real", sameResult, sends })
      }}
    >
      <p class="soft">
        What runs side by side may end in any order. This tries the orders of this run's input, the nearest to the usual
        one first, and checks each.
      </p>
      <p class="caution">
        The steps really run, up to {number(schedules)} times: what they send, write or pay happens each time.
      </p>
      <div class="tools">
        <label>
          Orders{" "}
          <input
            class="number"
            inputMode="numeric"
            size={7}
            value={Number.isNaN(schedules) ? "" : schedules}
            aria-invalid={!whole(schedules, 100_000)}
            onInput={({ currentTarget: { value } }) => setSchedules(Number.parseInt(value, 10))}
          />
        </label>
        <label>
          Seconds{" "}
          <input
            class="number"
            inputMode="numeric"
            size={4}
            value={Number.isNaN(seconds) ? "" : seconds}
            aria-invalid={!whole(seconds, 300)}
            onInput={({ currentTarget: { value } }) => setSeconds(Number.parseInt(value, 10))}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={virtual}
            onChange={({ currentTarget }) => setVirtual(currentTarget.checked)}
          />{" "}
          Timers take no time
        </label>
        <label>
          <input
            type="checkbox"
            checked={sameResult}
            onChange={({ currentTarget }) => setSameResult(currentTarget.checked)}
          />{" "}
          All must end the same
        </label>
      </div>
      {takesInputs ? (
        <label class="sends">
          <span class="soft">Events to send, in this order, each at any time after the one before</span>
          <textarea
            class="code"
            rows={Math.min(10, Math.max(2, text.split("\n").length))}
            spellcheck={false}
            value={text}
            aria-invalid={sends === undefined}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
      ) : null}
      <div class="actions">
        <button type="submit" disabled={busy || !fits}>
          Try every order
        </button>
      </div>
    </form>
  )
}

const headline = ({ complete, error, orders, schedules, state, unlisted, usual }: Exploration): string => {
  const ways = orders.length + unlisted
  const tried = complete ? `All ${count(schedules, "order")}` : `${count(schedules, "order")}, not all of them,`
  if (error !== null) return error
  if (state === "running" && ways === 0) return usual === null ? "Starting…" : "No order breaks a rule so far."
  if (ways > 0) return `Some orders break a rule, in ${count(ways, "way")}${state === "running" ? " so far" : ""}.`
  if (state === "cancelled") return `Cancelled after ${count(schedules, "order")}; none of them breaks a rule.`
  return complete && schedules === 1 ? "There is only one order." : `${tried} keep the rules.`
}

const Found = ({ at, exploration }: { readonly exploration: Exploration; readonly at: string }) => {
  const { error, input, orders, outcomes, uncontrolled, unlisted, usual } = exploration
  return (
    <div class="found">
      <p class={error !== null || orders.length > 0 ? "strong bad" : "strong"} role="status">
        {headline(exploration)}
      </p>
      <p class="soft">
        With <span class="code">{brief(input, 160)}</span>
        {usual === null ? null : (
          <>
            , the usual order ends with <span class="code">{cut(usual.outcome, 200)}</span>
          </>
        )}
        {usual === null || usual.run === null || usual.run === at ? null : (
          <>
            {" "}
            (<a href={linkTo({ run: usual.run })}>open it</a>)
          </>
        )}
        .
      </p>
      {uncontrolled.map((what) => (
        <p key={what} class="caution">
          Not under control: {what}.
        </p>
      ))}
      <ol class="plain found-orders">
        {orders.map((order) => (
          <li key={order.token + order.rule} class={order.run === at ? "here" : undefined}>
            <Order order={order} usual={usual?.run ?? null} at={at} />
          </li>
        ))}
      </ol>
      {unlisted > 0 ? <p class="soft">and {count(unlisted, "more way")}, which are not kept.</p> : null}
      {outcomes.length < 2 ? null : (
        <>
          <h3>How they end</h3>
          <ul class="plain">
            {outcomes.map(({ outcome, times, token }) => (
              <li key={token}>
                <span class="number">{count(times, "order")}</span>: <span class="code">{outcome}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}

/** One order: what it breaks, how it ends, what happens in it, and the line that replays it in a test. */
export const Order = ({
  at,
  order: { outcome, problem, replay, rule, run, story, token },
  usual
}: {
  readonly order: FoundOrder
  readonly usual: string | null
  readonly at: string
}) => (
  <>
    <p>
      <strong>{rule}</strong>: {problem}
    </p>
    <p class="code">{outcome}</p>
    <div class="actions">
      {run === null ? (
        <span class="soft">Its trace is too long to be kept.</span>
      ) : run === at ? (
        <span class="soft">You are looking at it.</span>
      ) : (
        <a href={linkTo(usual === null ? { run } : { run, beside: usual })}>Open it beside the usual order</a>
      )}
      <span class="space" />
      <span class="code soft">{token}</span>
      <Copy label="Copy for a test" text={() => replay ?? `explore(flow, { replay: ${JSON.stringify(token)} })`} />
    </div>
    {story === null ? null : (
      <details>
        <summary>What happens in it</summary>
        <pre class="story">{story}</pre>
      </details>
    )}
  </>
)
