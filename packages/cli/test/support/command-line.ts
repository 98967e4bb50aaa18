/** A folder for the files of one test file, and a process that runs commands in it. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll } from "vitest"

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
export const bin = path("../../bin.js")
export const example = (name: string) => path(`../../../../examples/${name}.ts`)
export const seed = (name: string) => example(`seed/${name}`)

/** The output of a command and its exit code. */
export interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const inFolder = () => {
  const place = { folder: "" }
  beforeAll(async () => {
    place.folder = await mkdtemp(join(tmpdir(), "stepgraph-"))
  })
  afterAll(() => rm(place.folder, { recursive: true, force: true }))

  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(place.folder, name), text)
    return name
  }
  return {
    place,
    file,
    contents: (name: string) => readFile(join(place.folder, name), "utf8"),
    /** The first lines of every file: imports that work from any folder. */
    flowFile: (name: string, text: string) =>
      file(
        name,
        `import { Context, Effect, Schema } from ${JSON.stringify(import.meta.resolve("effect"))}
import { defineEvent, defineStep, join, workflow } from ${JSON.stringify(import.meta.resolve("stepgraph"))}
const Start = defineEvent("Start")
const Stop = defineEvent("Stop")
const Other = defineEvent("Other")
const flowOf = (steps: any, more: any = {}): any => workflow({ name: "given", start: Start, stop: Stop, steps, ...more })
const only = (run: any, workers: any = 4) => ({ a: defineStep({ accepts: Start, emits: Stop, workers, run }) })
${text}
`
      )
  }
}

/** Sends commands to one process in a folder; in virtual time, no timer takes real time. */
export const inSession = (place: { readonly folder: string }) => {
  let session: ChildProcess
  beforeAll(() => {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined }
    session = fork(path("./session.ts"), [], { cwd: place.folder, env, execArgv: [] })
  })
  afterAll(() => void session.kill())
  const told = async (args: ReadonlyArray<string>, virtual: boolean): Promise<Told> => {
    session.send({ args, virtual })
    const [answer] = await once(session, "message")
    return answer
  }
  return {
    stepgraph: (...args: ReadonlyArray<string>) => told(args, false),
    inVirtualTime: (...args: ReadonlyArray<string>) => told(args, true)
  }
}
