/**
 * A store in the memory of one process: for tests, and for what need not survive it.
 */
import * as Effect from "effect/Effect"
import {
  createdRun,
  type FlowKey,
  type Json,
  type StoredMessage,
  type StoredRun,
  type StoreService,
  suspicious
} from "../Store.ts"

interface Kept {
  run: StoredRun
  entries: Array<{ readonly at: number; readonly epoch: number; readonly json: string }>
  messages: Array<StoredMessage>
  /** Length of the journal when it was claimed last. */
  claimed: number
  /** Whether no more events may be sent. */
  closed: boolean
  /** Whether it is on trial. */
  alone: boolean
}

const isOf = (flows: ReadonlyArray<FlowKey>, run: FlowKey): boolean =>
  flows.some(
    ({ flow, version, fingerprint }) => flow === run.flow && version === run.version && fingerprint === run.fingerprint
  )

const newestFirst = (one: Pick<StoredRun, "createdAt" | "id">, other: Pick<StoredRun, "createdAt" | "id">): number =>
  other.createdAt - one.createdAt || (one.id < other.id ? 1 : one.id > other.id ? -1 : 0)

const copy = (json: Json): Json => JSON.parse(JSON.stringify(json))

export const memoryStore = (): StoreService => {
  const runs = new Map<string, Kept>()
  const graphs = new Map<string, Json>()
  const leases = new Map<string, number>()
  const withNow = <A>(work: (now: number) => A): Effect.Effect<A> =>
    Effect.clockWith((clock) => Effect.sync(() => work(clock.currentTimeMillisUnsafe())))
  const owned = (id: string, epoch: number): Kept | undefined => {
    const kept = runs.get(id)
    return kept?.run.epoch === epoch && kept.run.owner !== undefined ? kept : undefined
  }
  const update = (kept: Kept, change: Partial<StoredRun>) => {
    kept.run = { ...kept.run, ...change }
  }
  return {
    synchronous: true,
    create: (creation, owner) =>
      withNow((now) => {
        const { id, start } = creation
        const known = runs.get(id)
        if (known !== undefined) return { created: false, run: known.run }
        const run = createdRun({ ...creation, start: copy(start) }, owner, now)
        runs.set(id, { run, entries: [], messages: [], claimed: 0, closed: false, alone: false })
        return { created: true, run }
      }),
    keepGraph: (fingerprint, graph) => Effect.sync(() => void graphs.set(fingerprint, copy(graph))),
    graph: (fingerprint) => Effect.sync(() => graphs.get(fingerprint)),
    get: (id) => Effect.sync(() => runs.get(id)?.run),
    list: ({ after, flow, limit, state }) =>
      Effect.sync(() =>
        [...runs.values()]
          .map(({ run }) => run)
          .filter((run) => (flow ?? run.flow) === run.flow && (state ?? run.state) === run.state)
          .filter((run) => after === undefined || newestFirst(run, after) > 0)
          .sort(newestFirst)
          .slice(0, limit)
      ),
    load: (id, from = 0) =>
      Effect.sync(() => {
        const kept = runs.get(id)
        if (kept === undefined) return []
        return kept.entries
          .slice(from)
          .map(({ at, epoch, json }, i) => ({ from: from + i, at, epoch, entries: [JSON.parse(json)] }))
      }),
    append: (id, epoch, from, entries) =>
      withNow((now) => {
        const kept = owned(id, epoch)
        if (kept?.entries.length !== from) return false
        for (const entry of entries) kept.entries.push({ at: now, epoch, json: JSON.stringify(entry) })
        return true
      }),
    send: (id, key, message) =>
      Effect.sync(() => {
        const kept = runs.get(id)
        if (kept === undefined) return undefined
        const known = kept.messages.find((other) => other.key === key)
        if (known !== undefined) return known.number
        if (kept.run.endedAt !== undefined || (kept.closed && message._tag === "event")) return undefined
        kept.closed ||= message._tag === "close"
        const number = kept.messages.length + 1
        kept.messages.push({ number, key, message: copy(message as unknown as Json) as any })
        update(kept, { messages: number, wake: 0 })
        return number
      }),
    messages: (id, after) => Effect.sync(() => runs.get(id)?.messages.slice(after) ?? []),
    suspend: (id, epoch, seen, wake) =>
      Effect.sync(() => {
        const kept = owned(id, epoch)
        if (kept === undefined || kept.run.messages > seen) return false
        update(kept, { owner: undefined, wake, crashes: 0, trials: 0 })
        kept.alone = false
        return true
      }),
    end: (id, epoch, state, result) =>
      withNow((now) => {
        const kept = owned(id, epoch)
        if (kept === undefined) return false
        const endedAt = state === "stuck" ? undefined : now
        update(kept, { owner: undefined, wake: undefined, state, endedAt, result: result && copy(result) })
        return true
      }),
    resume: (id) =>
      Effect.sync(() => {
        const kept = runs.get(id)
        if (kept?.run.state !== "stuck") return false
        update(kept, { state: "active", result: undefined, wake: 0, crashes: 0, trials: 0 })
        kept.alone = false
        return true
      }),
    abort: (id) =>
      withNow((now) => {
        const kept = runs.get(id)
        if (kept?.run.state !== "stuck") return false
        update(kept, { state: "interrupted", result: undefined, endedAt: now })
        return true
      }),
    forget: (id) => Effect.sync(() => runs.get(id)?.run.endedAt !== undefined && runs.delete(id)),
    forgetEnded: ({ endedBefore, flow, limit, state }) =>
      Effect.sync(() => {
        const ended = [...runs.values()].filter(
          ({ run }) =>
            run.endedAt !== undefined &&
            run.endedAt < endedBefore &&
            (flow ?? run.flow) === run.flow &&
            (state ?? run.state) === run.state
        )
        const some = ended.slice(0, limit)
        for (const { run } of some) runs.delete(run.id)
        return some.length
      }),
    claim: (owner, flows, limit, suspects) =>
      withNow((now) => {
        for (const kept of runs.values()) {
          const { run } = kept
          if (run.owner === undefined || (leases.get(run.owner) ?? Number.POSITIVE_INFINITY) > now) continue
          const progress = kept.entries.length > kept.claimed
          update(kept, {
            owner: undefined,
            wake: 0,
            crashes: progress ? 1 : run.crashes + 1,
            trials: progress ? 0 : run.trials + Number(kept.alone)
          })
          kept.alone = false
        }
        const claimed: Array<StoredRun> = []
        let tried = !suspects
        for (const kept of runs.values()) {
          if (claimed.length === limit) break
          const { run } = kept
          const due = run.owner === undefined && run.wake !== undefined && run.wake <= now
          if (run.state !== "active" || !isOf(flows, run) || !due) continue
          const suspect = run.crashes >= suspicious
          if (suspect && tried) continue
          tried ||= suspect
          kept.alone = suspect
          kept.claimed = kept.entries.length
          update(kept, { owner, epoch: run.epoch + 1, wake: undefined })
          claimed.push(kept.run)
        }
        return claimed
      }),
    acquit: (id, epoch) =>
      Effect.sync(() => {
        const kept = owned(id, epoch)
        if (kept !== undefined) kept.alone = false
      }),
    signalled: (owner) =>
      Effect.sync(() =>
        [...runs.values()].flatMap(({ run: { id, messages, owner: of, wake } }) =>
          of === owner && wake === 0 ? [{ id, messages }] : []
        )
      ),
    owned: (owner) => Effect.sync(() => [...runs.values()].flatMap(({ run }) => (run.owner === owner ? [run.id] : []))),
    nextWake: (flows, suspects) =>
      Effect.sync(() => {
        let first: number | undefined
        for (const { run } of runs.values()) {
          if (run.state !== "active" || run.owner !== undefined || run.wake === undefined || !isOf(flows, run)) continue
          if (!suspects && run.crashes >= suspicious) continue
          if (first === undefined || run.wake < first) first = run.wake
        }
        return first
      }),
    beat: (owner, lease) => withNow((now) => void leases.set(owner, now + lease)),
    owners: Effect.sync(() => [...leases.keys()]),
    release: (owner) =>
      Effect.sync(() => {
        leases.delete(owner)
        for (const kept of runs.values()) {
          if (kept.run.owner !== owner) continue
          update(kept, { owner: undefined, wake: 0 })
          kept.alone = false
        }
      }),
    bury: (owner) => Effect.sync(() => void leases.set(owner, Number.NEGATIVE_INFINITY)),
    changes: Effect.succeed(undefined)
  }
}
