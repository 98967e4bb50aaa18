/**
 * Any moment of the run: graph, timeline, events and details follow.
 */
import { useEffect, useRef, useState } from "preact/hooks"
import { count, duration } from "../format.ts"
import { useStore } from "../hooks.ts"
import { adjust } from "../route.ts"
import type { RunStore } from "../run-store.ts"

export const Scrubber = ({ at, store }: { readonly store: RunStore; readonly at: number | undefined }) => {
  useStore(store)
  const timer = useRef<ReturnType<typeof setInterval>>()
  const [playing, setPlaying] = useState(false)
  const total = store.entries.length
  useEffect(() => {
    if (!playing) return
    const step = Math.max(1, Math.round(total / 240))
    let place = at ?? 0
    timer.current = setInterval(() => {
      place = Math.min(total, place + step)
      adjust({ at: place >= total ? undefined : place })
      if (place >= total) setPlaying(false)
    }, 40)
    return () => clearInterval(timer.current)
  }, [playing])
  return (
    <div class="scrubber">
      <button
        type="button"
        class="quiet"
        disabled={total === 0 || store.before > 0}
        onClick={() => {
          if (!playing && at === undefined) adjust({ at: 1 })
          setPlaying(!playing)
        }}
      >
        {playing ? "Pause" : "Replay"}
      </button>
      <input
        type="range"
        aria-label="Moment"
        disabled={store.before > 0}
        aria-valuetext={store.isLive ? "all of it" : `after ${count(store.at, "entry").replace("entrys", "entries")}`}
        min={0}
        max={total}
        value={at ?? total}
        onInput={({ currentTarget: { valueAsNumber } }) => {
          setPlaying(false)
          adjust({ at: valueAsNumber >= total ? undefined : valueAsNumber })
        }}
      />
      <span class="number soft moment">{duration(store.model.last.at)}</span>
      {store.isLive ? (
        <span class={`live ${store.connection}`}>
          {store.connection === "ended" ? "Whole run" : store.connection === "broken" ? "Reconnecting…" : "Live"}
        </span>
      ) : (
        <button type="button" class="quiet" onClick={() => adjust({ at: undefined })}>
          Back to {store.connection === "ended" ? "the end" : "live"}
        </button>
      )}
      {store.before > 0 ? (
        <p class="soft" role="status">
          This is the end of the run; times count from its first entry here.{" "}
          {store.isLoadingEarlier ? (
            `Loading ${count(store.before, "earlier record")}…`
          ) : (
            <button type="button" class="link" onClick={() => store.loadEarlier()}>
              Load {count(store.before, "earlier record")}
            </button>
          )}
        </p>
      ) : null}
      {store.missing > 0 ? (
        <p class="soft">
          The server keeps no more than the end of this run: {count(store.missing, "older record")} are gone.
        </p>
      ) : null}
    </div>
  )
}
