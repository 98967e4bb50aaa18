/**
 * Opens durable runs without performing any. The package is loaded only here: it is optional, and its SQLite and Postgres take
 * time to load.
 */
import type { AnyDurable, DurableHandle, DurableRuns, RunRecord, StoredHandle } from "@stepgraph/durable"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AnyWorkflow } from "stepgraph/graph"
import { nearest } from "stepgraph/internal"
import { type Failed, Misuse } from "./errors.ts"
import { type Exported, exportedBy, list } from "./load.ts"
import { urlOf } from "./packages.ts"

type Package = typeof import("@stepgraph/durable")
type Postgres = typeof import("@stepgraph/durable/postgres")

/** Where the runs are, and the files that have their workflows. */
export interface Place {
  readonly place: string
  readonly files: ReadonlyArray<string>
}

/** Loads a module that is optional, also if only this command has it. */
export const load = (name: string, files: ReadonlyArray<string>): Effect.Effect<unknown, Misuse> =>
  Effect.tryPromise({
    try: async () => {
      const url = urlOf(name, files, [import.meta.url])
      if (url === undefined) throw new Missing("@stepgraph/durable")
      return await import(url)
    },
    catch: (error) => {
      if (error instanceof Missing) {
        const message = `Durable runs need a package that is not installed: npm install ${error.message}`
        return new Misuse({ message })
      }
      const { code, message } = error as { readonly code?: string; readonly message: string }
      if (code === "ERR_MODULE_NOT_FOUND" && message.includes("@effect/sql-pg")) {
        return new Misuse({ message: "Postgres needs a package that is not installed: npm install @effect/sql-pg" })
      }
      return new Misuse({ message: `Loading ${name} failed: ${message}` })
    }
  })

class Missing extends Error {}

const isUrl = (place: string): boolean => /^postgres(ql)?:\/\//.test(place)

/** The place for people: a URL may have a password. */
export const nameOf = (place: string): string => {
  if (!isUrl(place)) return place
  try {
    const { host, pathname } = new URL(place)
    return `Postgres database ${host}${pathname}`
  } catch {
    return "this Postgres database"
  }
}

/** The innermost reason: a failed connection is wrapped several times. */
const reasonOf = (error: unknown): string => {
  let inner = error as { readonly message?: string; readonly code?: string; readonly cause?: unknown; reason?: unknown }
  for (;;) {
    const next = (inner.reason ?? inner.cause) as typeof inner | undefined
    if (typeof next !== "object" || next === null) return inner.message || inner.code || String(error)
    inner = next
  }
}

const isNoRuns = (error: unknown): error is Error => (error as { readonly _tag?: string })._tag === "NoRuns"

/** How `openDurable` and the like open a place. */
export const optionsOf = (
  { files, place }: Place,
  performs: boolean
): Effect.Effect<Parameters<Package["openDurable"]>[0], Misuse> =>
  isUrl(place)
    ? Effect.map(load("@stepgraph/durable/postgres", files), (loaded) => ({
        layer: (loaded as Postgres).layerPostgres({ url: place, performs })
      }))
    : Effect.succeed({ sqlite: place, performs })

export const cannotOpen = (place: string, error: unknown): Misuse =>
  new Misuse({
    message: isNoRuns(error)
      ? `${error.message.replace("this database", nameOf(place))}.`
      : `Cannot open ${nameOf(place)}: ${reasonOf(error)}.`
  })

const openWith = (place: Place, durables: ReadonlyArray<AnyDurable>): Effect.Effect<DurableRuns, Misuse, Scope.Scope> =>
  Effect.gen(function* () {
    const { openDurable } = (yield* load("@stepgraph/durable", place.files)) as Package
    const options = yield* optionsOf(place, false)
    return yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => openDurable(options, durables as []),
        catch: (error) => cannotOpen(place.place, error)
      }),
      (runs) => Effect.promise(() => runs.close())
    )
  })

/** The durable runs of a place. */
export const openRuns = (place: Place) => openWith(place, [])

/** Calls a run's handle; an error of it is a sentence. */
export const asked = <A>(call: () => Promise<A>): Effect.Effect<A, Misuse> =>
  Effect.tryPromise({
    try: call,
    catch: (error) => new Misuse({ message: `${error instanceof Error ? error.message : String(error)}.` })
  })

/** A run, with all that is stored about it. */
export interface Known {
  readonly stored: StoredHandle
  readonly record: RunRecord
}

export const recordOf = (runs: DurableRuns, id: string, place: string): Effect.Effect<Known, Misuse> =>
  Effect.gen(function* () {
    const stored = runs.stored(id)
    const record = yield* Effect.tryPromise({
      try: () => stored.record(),
      catch: (error) => error as Error & { readonly _tag?: string }
    }).pipe(
      Effect.catch((error) =>
        error._tag === "UnknownRun"
          ? Effect.succeed(undefined)
          : Effect.fail(new Misuse({ message: `${error.message}.` }))
      )
    )
    if (record !== undefined) return { stored, record }
    const ids = (yield* asked(() => runs.list({ limit: 1000 }))).map(({ id }) => id)
    const near = nearest(id, ids)
    const meant = near === undefined ? "" : `: did you mean '${near}'?`
    return yield* new Misuse({ message: `There is no run '${id}' in ${nameOf(place)}${meant || "."}` })
  })

export interface WithFlow {
  readonly file: string
  readonly flow: AnyWorkflow
  readonly handle: DurableHandle<any, any, any>
}

/** The run's handle with its workflow, from the files that were named; `undefined` where none was. */
export const withFlow = (
  place: Place,
  { id, version, workflow }: RunRecord
): Effect.Effect<WithFlow | undefined, Misuse | Failed, Scope.Scope> =>
  Effect.gen(function* () {
    const { files } = place
    if (files.length === 0) return undefined
    const exported: Array<Exported & { readonly file: string }> = []
    for (const file of files) {
      for (const found of (yield* exportedBy(file)).values()) exported.push({ ...found, file })
    }
    const named = exported.filter(({ flow }) => flow.name === workflow)
    // A run keeps the version that it was started with.
    const found =
      named.find(({ durable }) => durable?.version === version) ?? named.find(({ durable }) => !durable) ?? named[0]
    if (found === undefined) {
      const names = list([...new Set(exported.map(({ flow }) => flow.name))])
      const where = files.length === 1 ? `${files[0]} exports no workflow` : `The files export no workflow`
      return yield* new Misuse({
        message: `${where} '${workflow}', the workflow of run '${id}': it exports ${names}.`
      })
    }
    const { file, flow } = found
    const { durable: durableOf } = (yield* load("@stepgraph/durable", files)) as Package
    const durable =
      found.durable?.version === version
        ? found.durable
        : yield* Effect.try({
            try: () => durableOf(flow, { version }),
            catch: (error) => new Misuse({ message: (error as Error).message })
          })
    const runs = yield* openWith(place, [durable])
    return { file, flow, handle: runs.run(durable, id) }
  })
