/**
 * All candidates as a user starts them: as JavaScript. Node would translate a hundred modules of stepgraph at each start.
 */
import { rmSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { type Contestant, contestants, peerVersions } from "./candidates.ts"

const program = fileURLToPath(new URL("./process.ts", import.meta.url))

const bundled = async (files: ReadonlyArray<string>, folder: string, external: ReadonlyArray<string>) => {
  // Beside what is left outside, so that it is found.
  const outdir = join(fileURLToPath(new URL(`../../${folder}`, import.meta.url)), "node_modules/.durable")
  rmSync(outdir, { recursive: true, force: true })
  await build({
    entryPoints: Object.fromEntries(files.map((file) => [basename(file, ".ts"), file])),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    external: [...external],
    logLevel: "error"
  })
  return (file: string) => join(outdir, `${basename(file, ".ts")}.mjs`)
}

export interface Built {
  /** What each process runs. */
  readonly program: string
  readonly contestants: ReadonlyArray<Contestant>
}

export const built = async (): Promise<Built> => {
  const files = (peers: boolean) => contestants.filter(({ isPeer }) => isPeer === peers).map(({ file }) => file)
  // stepgraph is in the bundle, as its packages publish it; all else stays where its own package has it.
  const own = await bundled([program, ...files(false)], ".", ["effect", "effect/*", "@effect/*"])
  const peer = await bundled(
    files(true),
    "durable-peers",
    Object.keys(peerVersions()).flatMap((name) => [name, `${name}/*`])
  )
  return {
    program: own(program),
    contestants: contestants.map((contestant) => ({
      ...contestant,
      file: (contestant.isPeer ? peer : own)(contestant.file)
    }))
  }
}
