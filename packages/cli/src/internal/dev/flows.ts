/**
 * The workflows of some files, as the files were when they could last be loaded.
 */
import type { AnyDurable } from "@stepgraph/durable"
import * as Effect from "effect/Effect"
import type { AnyWorkflow } from "stepgraph/graph"
import { type Failed, Misuse } from "../errors.ts"
import { type Exported, exportedBy } from "../load.ts"
import { isOfThisCopy } from "../schemas.ts"
import { loadOf } from "./fresh.ts"

type Loaded = ReadonlyArray<Exported>

export class Flows {
  private readonly files: ReadonlyArray<string>
  private readonly onlyDurable: boolean
  private readonly found: (path: string) => void
  private loaded: Loaded = []
  private loads = 0
  private problem: string | undefined
  /** Counts how often the workflows have changed. */
  revision = 0

  /** `found` is told of each file that they come from. */
  constructor(files: ReadonlyArray<string>, onlyDurable: boolean, found: (path: string) => void) {
    this.files = files
    this.onlyDurable = onlyDurable
    this.found = found
  }

  get all(): Loaded {
    return this.loaded
  }

  get flows(): ReadonlyArray<AnyWorkflow> {
    return this.loaded.map(({ flow }) => flow)
  }

  get durables(): ReadonlyArray<AnyDurable> {
    return this.loaded.flatMap(({ durable }) => (durable === undefined ? [] : [durable]))
  }

  get problems(): ReadonlyArray<string> {
    return this.problem === undefined ? [] : [this.problem]
  }

  /** Loads all files again. If one cannot be, the workflows stay as they were. */
  get load(): Effect.Effect<void, Misuse | Failed> {
    return Effect.suspend(() => {
      const revision = this.loads++
      return this.read(revision).pipe(
        Effect.tap((loaded) =>
          Effect.sync(() => {
            this.loaded = loaded
            this.problem = undefined
            this.revision = revision
          })
        ),
        Effect.tapError(({ message }) =>
          Effect.sync(() => {
            this.problem = message
          })
        ),
        Effect.asVoid
      )
    })
  }

  private read(revision: number): Effect.Effect<Loaded, Misuse | Failed> {
    const { files, found, onlyDurable } = this
    return Effect.gen(function* () {
      const load = loadOf(revision, found)
      const byName = new Map<string, Exported & { readonly file: string }>()
      for (const file of files) {
        for (const one of (yield* exportedBy(file, load)).values()) {
          const { name } = one.flow
          if (!isOfThisCopy(one.flow)) {
            return yield* new Misuse({
              message: `${file} has workflows made with another copy of effect than the one of this command: install the command next to it with npm install --save-dev @stepgraph/cli, and effect only once.`
            })
          }
          const other = byName.get(name)
          // A durable workflow may be exported beside its `durable()`.
          if (other === undefined || (other.flow === one.flow && one.durable !== undefined)) {
            byName.set(name, { ...one, file })
          } else if (other.flow !== one.flow) {
            const where =
              other.file === file ? `${file} exports two workflows` : `${other.file} and ${file} each export a workflow`
            return yield* new Misuse({
              message: `${where} named '${name}': give each its own name, because its URL contains it.`
            })
          }
        }
      }
      const all = [...byName.values()]
      if (!onlyDurable) return all
      const durables = all.filter(({ durable }) => durable !== undefined)
      if (durables.length > 0) return durables
      const where = files.length === 1 ? `${files[0]} exports` : "The files export"
      return yield* new Misuse({
        message: `${where} no durable workflow: export the result of durable(), or leave out --durable.`
      })
    })
  }
}
