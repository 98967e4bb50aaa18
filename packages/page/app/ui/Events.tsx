/**
 * The events of a run as a table: only the rows in sight are elements, so a run may have any number.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import { brief, count, duration, number } from "../format.ts"
import { useDebounced, useStore } from "../hooks.ts"
import type { RunStore } from "../run-store.ts"
import type { EventRow } from "../tape.ts"
import type { Pane } from "./parts.tsx"

const rowHeight = 30
const height = 420
const spare = 8

export const Events = ({ onSelect, selection, store }: Pane) => {
  useStore(store)
  const [search, setSearch] = useState("")
  const [tag, setTag] = useState("")
  const wanted = useDebounced(search.trim().toLowerCase(), 120)
  const rows = useRows(store, wanted, tag)
  const tags = useTags(store)
  const [top, setTop] = useState(0)
  const scroller = useRef<HTMLDivElement>(null)
  // Stays at the end as long as somebody is there.
  const follows = useRef(false)
  useEffect(() => {
    const element = scroller.current
    if (follows.current && element !== null) element.scrollTop = element.scrollHeight
  }, [rows.length])
  const place = selection?.kind === "event" ? rows.findIndex(({ id }) => id === selection.id) : -1
  const move = (by: number) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, place < 0 ? 0 : place + by))]
    if (next === undefined) return
    onSelect({ kind: "event", id: next.id })
    const at = rows.indexOf(next) * rowHeight
    const element = scroller.current!
    if (at < element.scrollTop) element.scrollTop = at
    else if (at + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = at + rowHeight - element.clientHeight
  }
  const first = Math.max(0, Math.floor(top / rowHeight) - spare)
  const last = Math.min(rows.length, first + Math.ceil(height / rowHeight) + 2 * spare)
  return (
    <div class="events">
      <div class="tools">
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search tags and payloads"
          data-search
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <select aria-label="Kind of event" value={tag} onChange={(event) => setTag(event.currentTarget.value)}>
          <option value="">All kinds</option>
          {tags.map((tag) => (
            <option key={tag} value={tag}>
              {tag}
            </option>
          ))}
        </select>
        <span class="soft number" aria-live="polite">
          {wanted === "" && tag === ""
            ? count(store.rowCount, "event")
            : `${number(rows.length)} of ${count(store.rowCount, "event")}`}
        </span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys move the selection; each row has a button, too. */}
      <div
        class="scroller"
        ref={scroller}
        style={{ height: `${Math.min(height, Math.max(3, rows.length + 1) * rowHeight + 2)}px` }}
        onScroll={({ currentTarget }) => {
          setTop(currentTarget.scrollTop)
          follows.current = currentTarget.scrollTop + currentTarget.clientHeight >= currentTarget.scrollHeight - 4
        }}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return
          const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10 }[event.key]
          if (by === undefined) return
          event.preventDefault()
          move(by)
        }}
      >
        <table aria-rowcount={rows.length}>
          <thead>
            <tr>
              <th class="number">#</th>
              <th class="number">Time</th>
              <th>Event</th>
              <th>From</th>
              <th>Payload</th>
            </tr>
          </thead>
          <tbody>
            <Space rows={first} />
            {rows.slice(first, last).map((row, i) => (
              <Row
                key={row.id}
                store={store}
                row={row}
                index={first + i + 1}
                isSelected={first + i === place}
                onSelect={onSelect}
              />
            ))}
            <Space rows={rows.length - last} />
          </tbody>
        </table>
        {rows.length === 0 ? (
          <p class="none soft">
            {store.rowCount === 0 ? "Events appear here as they come." : "No event has this. Search for less."}
          </p>
        ) : null}
      </div>
    </div>
  )
}

/** Stands for the rows that are out of sight. */
const Space = ({ rows }: { readonly rows: number }) =>
  rows <= 0 ? null : <tr class="space" style={{ height: `${rows * rowHeight}px` }} />

const Row = ({
  index,
  isSelected,
  onSelect,
  row,
  store
}: {
  readonly store: RunStore
  readonly row: EventRow
  readonly index: number
  readonly isSelected: boolean
  readonly onSelect: Pane["onSelect"]
}) => {
  const event = store.model.events.get(row.id)
  if (event === undefined) return null
  const from = event.cause === null ? "outside" : (store.model.invocations.get(event.cause)?.step ?? event.cause)
  const select = () => onSelect({ kind: "event", id: row.id })
  return (
    <tr
      class={isSelected ? "selected" : ""}
      aria-rowindex={index}
      aria-current={isSelected ? "true" : undefined}
      onClick={select}
    >
      <td class="number soft">{number(row.seq)}</td>
      <td class="number">{duration(event.at.at)}</td>
      <td>
        <button type="button" class="cell">
          {event.tag}
        </button>
      </td>
      <td class="soft">{from}</td>
      <td class="code">{brief(event.data)}</td>
    </tr>
  )
}

/** The rows that fit the search. While a run goes on, only new ones are looked at. */
const useRows = (store: RunStore, wanted: string, tag: string): ReadonlyArray<EventRow> => {
  const end = store.rowCount
  const known = useMemo(() => ({ rows: [] as Array<EventRow>, seen: 0 }), [store, wanted, tag])
  if (wanted === "" && tag === "") return end === store.rows.length ? store.rows : store.rows.slice(0, end)
  if (end < known.seen) {
    known.rows = []
    known.seen = 0
  }
  if (known.seen < end) {
    const more = store.rows
      .slice(known.seen, end)
      .filter((row) => (tag === "" || row.tag === tag) && (wanted === "" || store.text(row.id).includes(wanted)))
    known.rows = [...known.rows, ...more]
    known.seen = end
  }
  return known.rows
}

const useTags = (store: RunStore): ReadonlyArray<string> => {
  const known = useMemo(() => ({ tags: new Set<string>(), seen: 0 }), [store])
  for (; known.seen < store.rows.length; known.seen++) known.tags.add(store.rows[known.seen]!.tag)
  return [...known.tags]
}
