/** Other programs: the package manager and git. */
import { spawn } from "node:child_process"

interface Options {
  readonly cwd: string
  readonly signal: AbortSignal
}

/** The exit code, or `undefined` if there is no such program. Ends only when the program has ended. */
const run = (program: string, args: ReadonlyArray<string>, { cwd, signal }: Options, stdio: "inherit" | "ignore") =>
  new Promise<number | undefined>((resolve) => {
    // Package managers are scripts on Windows, which only a shell starts.
    const child =
      process.platform === "win32"
        ? spawn([program, ...args].join(" "), { cwd, stdio, shell: true })
        : spawn(program, args, { cwd, stdio })
    const kill = () => void child.kill()
    signal.addEventListener("abort", kill)
    const ended = (code: number | undefined) => {
      signal.removeEventListener("abort", kill)
      resolve(code)
    }
    child.once("error", () => ended(undefined))
    // Ctrl-C reaches this process, too, but perhaps only after the end of the other program is known.
    child.once("exit", (code) => setImmediate(() => ended(code ?? 1)))
  })

/** Installs the packages, and shows what the package manager says. Whether that went well. */
export const install = async (manager: string, options: Options): Promise<boolean> =>
  (await run(manager, ["install"], options, "inherit")) === 0

/** Creates a repository, unless the folder is in one. Whether the folder is in one now. */
export const createRepository = async (options: Options): Promise<boolean> =>
  (await run("git", ["rev-parse", "--is-inside-work-tree"], options, "ignore")) === 0 ||
  (await run("git", ["init", "--quiet"], options, "ignore")) === 0
