import { useEffect, useState } from "preact/hooks"
import { api, Failure, type RunDetail, type WorkflowDetail } from "../api.ts"
import { adjust, type Route, type Selection } from "../route.ts"
import { RunStore } from "../run-store.ts"
import { Compare } from "./Compare.tsx"
import { Events } from "./Events.tsx"
import { Graph } from "./Graph.tsx"
import { Head, Outcome } from "./Head.tsx"
import { Inspector } from "./Inspector.tsx"
import { Order, Orders, useExploration } from "./Orders.tsx"
import { Empty } from "./parts.tsx"
import { Scrubber } from "./Scrubber.tsx"
import { StartForm } from "./Start.tsx"
import { Timeline } from "./Timeline.tsx"
import { ForYou, Reasons } from "./Waiting.tsx"

/** Loads the run and its workflow, and keeps the details fresh as long as it runs. */
export const Run = ({
  explores,
  id,
  route
}: {
  readonly id: string
  readonly route: Route
  readonly explores: boolean | string
}) => {
  const [detail, setDetail] = useState<RunDetail>()
  const [flow, setFlow] = useState<WorkflowDetail | null>()
  const [error, setError] = useState<string>()
  const [store, setStore] = useState<RunStore>()
  useEffect(() => {
    let gone = false
    setDetail(undefined)
    setStore(undefined)
    setError(undefined)
    const load = async () => {
      const [first, flow] = await Promise.all([api.run(id), api.workflowOf(id)])
      if (gone) return
      setFlow(flow)
      setDetail(first)
      setStore(new RunStore(id, flow?.graph))
    }
    load().catch((error: Error) => gone || setError(error.message))
    return () => {
      gone = true
    }
  }, [id])
  useEffect(() => {
    if (store === undefined) return
    store.show(route.at)
    store.start()
    // What the trace does not say, such as what an intake lacks, is asked for again after each change, but not too often.
    let timer: ReturnType<typeof setTimeout> | undefined
    let entries = -1
    let ended = false
    const ask = async () => {
      timer = undefined
      if (ended) return
      entries = store.entries.length
      try {
        const next = await api.run(id)
        ended = next.endedAt !== null
        setDetail(next)
      } catch (error) {
        if (error instanceof Failure && error.status === 404) ended = true
      }
      if (!ended && (store.entries.length !== entries || store.connection === "ended")) timer ??= setTimeout(ask, 400)
    }
    const unsubscribe = store.subscribe(() => {
      if (store.entries.length !== entries || store.connection === "ended") timer ??= setTimeout(ask, 250)
    })
    return () => {
      ended = true
      clearTimeout(timer)
      unsubscribe()
      store.stop()
    }
  }, [store])
  useEffect(() => store?.show(route.at), [store, route.at])
  if (error !== undefined) {
    return (
      <div class="page">
        <Empty title="This run cannot be shown">
          <p>{error}</p>
          <p>
            Runs in memory are gone when their server stops, and the oldest make room for new ones.{" "}
            <a href="#/">All workflows</a>
          </p>
        </Empty>
      </div>
    )
  }
  if (detail === undefined || store === undefined || store.id !== id) return <div class="page soft">Loading…</div>
  return (
    <Loaded
      detail={detail}
      flow={flow ?? undefined}
      store={store}
      route={route}
      explores={explores}
      onDetail={setDetail}
    />
  )
}

const Loaded = ({
  detail,
  explores,
  flow,
  onDetail,
  route,
  store
}: {
  readonly detail: RunDetail
  readonly flow: WorkflowDetail | undefined
  readonly store: RunStore
  readonly route: Route
  readonly explores: boolean | string
  readonly onDetail: (detail: RunDetail) => void
}) => {
  const exploring = useExploration(explores === true)
  const order = exploring.exploration?.orders.find(({ run }) => run === detail.id)
  const { selection } = route
  const select = (selection: Selection | undefined) => adjust({ selection })
  const [editing, setEditing] = useState(false)
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !(event.target as Element).matches("input, textarea, select")) select(undefined)
    }
    addEventListener("keydown", pressed)
    return () => removeEventListener("keydown", pressed)
  }, [])
  return (
    <div class={selection === undefined ? "run" : "run with-details"}>
      <div class="page">
        <Head
          detail={detail}
          store={store}
          onDetail={onDetail}
          canEdit={flow !== undefined}
          onEdit={() => setEditing(!editing)}
        />
        {editing && flow !== undefined ? (
          <section class="card" aria-label="Edit and run again">
            <h2>Edit and run again</h2>
            <StartForm key={detail.id} flow={flow} input={detail.input} rerun={detail.id} />
          </section>
        ) : null}
        {order === undefined ? null : (
          <section class="card failed" aria-label="This order">
            <h2>An order that breaks a rule</h2>
            <Order order={order} usual={exploring.exploration?.usual?.run ?? null} at={detail.id} />
          </section>
        )}
        <Outcome detail={detail} />
        {flow === undefined ? null : <ForYou key={`you-${detail.id}`} detail={detail} flow={flow} />}
        <Reasons detail={detail} store={store} graph={flow?.graph} />
        <Scrubber store={store} at={route.at} />
        <div class="panes">
          {flow === undefined ? null : (
            <section class="card" aria-label="Graph">
              <h2>Graph</h2>
              <Graph
                graph={flow.graph}
                store={store}
                selected={selection?.kind === "step" ? selection.id : undefined}
                onPick={(id) => select({ kind: "step", id })}
              />
            </section>
          )}
          <section class="card" aria-label="Timeline">
            <h2>Timeline</h2>
            <Timeline store={store} selection={selection} onSelect={select} />
          </section>
          <section class="card" aria-label="Events">
            <h2>Events</h2>
            <Events store={store} selection={selection} onSelect={select} />
          </section>
        </div>
        <section class="card" aria-label="Compare">
          <h2>Compare</h2>
          <Compare
            detail={detail}
            beside={route.beside}
            graph={flow?.graph}
            store={store}
            selection={selection}
            onSelect={select}
          />
        </section>
        {explores === false || flow === undefined ? null : (
          <section class="card" aria-label="Every order">
            <h2>Every order</h2>
            {explores === true ? (
              <Orders detail={detail} flow={flow} store={store} {...exploring} />
            ) : (
              <p class="soft">{explores}</p>
            )}
          </section>
        )}
      </div>
      {selection === undefined ? null : (
        <Inspector store={store} graph={flow?.graph} selection={selection} onSelect={select} />
      )}
    </div>
  )
}
