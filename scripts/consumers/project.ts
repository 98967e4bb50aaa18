// A project outside the repository, in which a package manager installs the packed packages.
import { execFileSync, spawn } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const workspace = join(import.meta.dirname, "../..")
export const programs = join(import.meta.dirname, "programs")
const json = (file: string) => JSON.parse(readFileSync(join(workspace, file), "utf8"))

/** What all projects share: their folder, and the packed packages by name. */
export interface Packed {
  readonly scratch: string
  readonly tarballs: Readonly<Record<string, string>>
}

export const packedIn = (folder: string): Packed => {
  const tarballs: Record<string, string> = {}
  for (const directory of readdirSync(join(workspace, "packages"))) {
    const { name, private: hidden, version } = json(`packages/${directory}/package.json`)
    // What `npm create` runs is not installed in a project.
    if (!hidden && !name.startsWith("create-"))
      tarballs[name] = join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`)
  }
  return { scratch: mkdtempSync(join(tmpdir(), "stepgraph-consumers-")), tarballs }
}

export interface Project {
  readonly folder: string
  /** Runs a command in the folder and gives what it prints. Throws what it printed if it fails. */
  readonly run: (command: string, args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) => string
  /** Runs Node in the folder. */
  readonly node: (...args: ReadonlyArray<string>) => string
  readonly write: (file: string, contents: unknown) => void
  /** Starts a server, resolves once the address answers, and gives what stops it. */
  readonly serve: (url: string, command: string, args: ReadonlyArray<string>) => Promise<() => void>
}

export const effect: string = json("node_modules/effect/package.json").version

/** An empty project with the programs in it. `extra` is more of its manifest. */
export const project = ({ scratch }: Packed, name: string, extra: object = {}): Project => {
  const folder = join(scratch, name)
  cpSync(programs, folder, { recursive: true })
  // The same program under the name that every runtime takes.
  cpSync(join(programs, "seed.ts"), join(folder, "seed.js"))
  const write = (file: string, contents: unknown) =>
    writeFileSync(join(folder, file), typeof contents === "string" ? contents : JSON.stringify(contents, null, 2))
  write("package.json", { name, private: true, type: "module", ...extra })

  // The package managers' settings for this workspace are not those of a project outside it.
  const own = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(npm|pnpm)_/i.test(key)))
  const run: Project["run"] = (command, args, env = {}) => {
    try {
      return execFileSync(command, args, {
        cwd: folder,
        encoding: "utf8",
        stdio: "pipe",
        env: { ...own, CI: "1", ...env },
        timeout: 300_000
      })
    } catch (error) {
      const { stderr, stdout } = error as { readonly stdout?: string; readonly stderr?: string }
      throw new Error(`${command} ${args.join(" ")} failed in ${folder}\n${stdout ?? ""}${stderr ?? String(error)}`)
    }
  }
  const serve: Project["serve"] = async (url, command, args) => {
    // `npx` starts a shell that starts the server: as a group, they all end.
    const child = spawn(command, args, { cwd: folder, env: own, stdio: "pipe", detached: true })
    let printed = ""
    for (const output of [child.stdout, child.stderr]) output.on("data", (text) => (printed += String(text)))
    const stop = () => {
      if (child.exitCode === null) process.kill(-child.pid!, "SIGTERM")
    }
    for (let tries = 0; tries < 600 && child.exitCode === null; tries++) {
      const answers = await fetch(url).then(
        () => true,
        () => false
      )
      if (answers) return stop
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    stop()
    throw new Error(`${command} ${args.join(" ")} did not answer at ${url}\n${printed}`)
  }
  return { folder, run, node: (...args) => run("node", args), write, serve }
}
