// Creates a project of each template with the packed packages, installs it, tests it and starts it, on each supported Node.
//
//   node scripts/create.ts FOLDER     the folder with the packed packages
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { createInterface } from "node:readline"

const workspace = join(import.meta.dirname, "..")
const packed = resolve(process.argv[2] ?? ".")
const scratch = mkdtempSync(join(tmpdir(), "stepgraph-create-"))
const json = (...path: ReadonlyArray<string>) => JSON.parse(readFileSync(join(...path), "utf8"))

const require = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what)
}

/** Each public package: its version, and where it is packed. */
const packages = new Map<string, { readonly version: string; readonly file: string }>()
for (const folder of readdirSync(join(workspace, "packages"))) {
  const { name, private: hidden, version } = json(workspace, "packages", folder, "package.json")
  const file = `file:${join(packed, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`)}`
  if (!hidden) packages.set(name, { version, file })
}

/** The environment of a program that a user starts: this script itself runs inside of a package manager. */
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)))

/** The environment in which a version of Node comes first. */
const withNode = (version: number): NodeJS.ProcessEnv => {
  const path = execFileSync("npx", ["-y", `node@${version}`, "-p", "process.execPath"], {
    encoding: "utf8",
    env: clean
  })
  const env = { ...clean, PATH: dirname(path.trim()) + delimiter + process.env.PATH }
  const found = execFileSync("node", ["--version"], { encoding: "utf8", env })
  require(found.startsWith(`v${version}.`), `Node ${version} was to be tried, and ${found} was found`)
  return env
}

interface Options {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly input?: string
}

const npm = (args: ReadonlyArray<string>, { cwd, env, input = "" }: Options): string =>
  execFileSync("npm", args, { cwd, env, input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] })

/** Starts a script that serves, and stops it once it has been used from the URL that it prints. */
const serving = async (args: ReadonlyArray<string>, options: Options, use: (url: URL) => Promise<void>) => {
  const server = spawn("npm", args, { ...options, stdio: ["ignore", "pipe", "inherit"], detached: true })
  const ended = new Promise((resolve) => server.once("exit", resolve))
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      const [url] = /^http:\S+/.exec(line) ?? []
      if (url === undefined) continue
      await use(new URL(url))
      return
    }
    throw new Error(`npm ${args.join(" ")} ended without a URL`)
  } finally {
    // npm and the program, as Ctrl-C does.
    if (server.exitCode === null) process.kill(-server.pid!, "SIGINT")
    await ended
  }
}

const answers = async (url: URL) => {
  const { status } = await fetch(new URL("/", url))
  require(status === 200, `${url.origin} answered ${status}`)
}

/** What `npm start` does, for each template. */
const starts: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  plain: async (options) => {
    const said = npm(["start", "--silent"], options)
    require(said === "East 9\nSouth 9\nNorth 12\n", said)
  },
  agent: async (options) => {
    const said = npm(["start", "--silent"], { ...options, input: "yes\n" })
    require(said.endsWith("Done: see summary.md.\n"), said)
    const summary = join(options.cwd, "notes/summary.md")
    require(readFileSync(summary, "utf8").includes("- Ada found a bug in the parser.\n"), "The summary is not written")
    rmSync(summary)
  },
  server: (options) =>
    serving(["start"], { ...options, env: { ...options.env, PORT: "0", TOKEN: "a-long-secret" } }, async (url) => {
      await answers(url)
      const env = { ...options.env, PORT: url.port, TOKEN: url.hash.slice("#token=".length) }
      const said = npm(["run", "client"], { ...options, env })
      require(/Question[\s\S]*Published/.test(said), said)
    })
}

const seconds = async (work: () => unknown): Promise<string> => {
  const began = performance.now()
  await work()
  return `${((performance.now() - began) / 1000).toFixed(1)} s`
}

const sizeOf = (path: string): number => {
  const stats = statSync(path)
  return stats.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stats.size
}

/** Creates a project, and makes it take the packed packages instead of published ones. */
const created = (template: string, env: NodeJS.ProcessEnv): string => {
  const args = ["exec", "--", "create-stepgraph", template, "--template", template, "--no-install", "--no-git"]
  npm(args, { cwd: scratch, env })
  const manifest = json(scratch, template, "package.json")
  for (const dependencies of [manifest.dependencies, manifest.devDependencies]) {
    for (const [name, range] of Object.entries(dependencies)) {
      const found = packages.get(name)
      if (found === undefined) continue
      require(range === `^${found.version}`, `${template} needs ${name} ${range}, and this is ${found.version}`)
      dependencies[name] = found.file
    }
  }
  manifest.overrides = Object.fromEntries([...packages].map(([name, { file }]) => [name, file]))
  writeFileSync(join(scratch, template, "package.json"), JSON.stringify(manifest))
  return join(scratch, template)
}

try {
  const environments = [20, 22, 24].map((version) => [version, withNode(version)] as const)
  const [[, oldest]] = environments as [(typeof environments)[number]]
  writeFileSync(join(scratch, "package.json"), '{ "private": true }')
  npm(["install", "--silent", "--no-audit", "--no-fund", packages.get("create-stepgraph")!.file], {
    cwd: scratch,
    env: oldest
  })
  for (const [template, start] of Object.entries(starts)) {
    const cwd = created(template, oldest)
    const installed = await seconds(() => npm(["install", "--silent", "--no-audit", "--no-fund"], { cwd, env: oldest }))
    const lock = json(cwd, "node_modules/.package-lock.json")
    const size = `${Object.keys(lock.packages).length} packages, ${(sizeOf(join(cwd, "node_modules")) / 2 ** 20).toFixed(0)} MiB`
    const checked = await seconds(() => npm(["run", "typecheck"], { cwd, env: oldest }))
    console.log(`${template}: installed ${size} in ${installed}, checked the types in ${checked}`)
    for (const [version, env] of environments) {
      const tested = await seconds(() => {
        const report = npm(["test"], { cwd, env })
        require(/^\S+ fail 0$/m.test(report) && !/^\S+ pass 0$/m.test(report), report)
      })
      const started = await seconds(() => start({ cwd, env }))
      console.log(`${template} on Node ${version}: tested in ${tested}, started in ${started}`)
    }
    const watched = await seconds(() => serving(["run", "dev"], { cwd, env: oldest }, answers))
    console.log(`${template} on Node 20: npm run dev answered and ended in ${watched}`)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
