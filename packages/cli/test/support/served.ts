/** A command that serves until it is told to stop, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { bin } from "./command-line.ts"

export interface Serving {
  readonly url: string
  readonly port: number
  readonly token: string
  /** What it has printed. */
  readonly out: () => string
  readonly err: () => string
  /** Waits until it has printed this on stderr. */
  readonly says: (words: string | RegExp) => Promise<void>
  readonly ask: (path: string, init?: Asking) => Promise<Response>
  readonly json: (path: string, body?: unknown) => Promise<any>
  /** Presses Ctrl-C, and waits for the exit code. */
  readonly stop: () => Promise<number | null>
  /** Ends it without a word. */
  readonly kill: () => Promise<number | null>
}

interface Asking {
  readonly headers?: Readonly<Record<string, string>>
  /** What to post. */
  readonly json?: unknown
}

const lookMillis = 10

const until = async <A>(look: () => A | undefined, otherwise: () => string): Promise<A> => {
  for (const end = Date.now() + 50_000; Date.now() < end; ) {
    const seen = look()
    if (seen !== undefined) return seen
    await new Promise((resolve) => setTimeout(resolve, lookMillis))
  }
  throw new Error(otherwise())
}

export const serving = async (cwd: string, ...args: ReadonlyArray<string>): Promise<Serving> => {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined }
  const child: ChildProcess = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const heard = { out: "", err: "" }
  child.stdout!.on("data", (text) => {
    heard.out += text
  })
  child.stderr!.on("data", (text) => {
    heard.err += text
  })
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  running.add(child)
  const all = () => `It said:\n${heard.out}\n${heard.err}`
  const [, url, port, token] = await until(
    () => /^(http:\/\/\S+?:(\d+)\/)#token=([^\s&]+)\S*\n/.exec(heard.out) ?? undefined,
    all
  )
  const ask: Serving["ask"] = (path, { headers, json } = {}) =>
    fetch(`${url}${path}`, {
      method: json === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${token}`,
        ...(json === undefined ? undefined : { "content-type": "application/json" }),
        ...headers
      },
      body: json === undefined ? null : JSON.stringify(json)
    })
  return {
    url: url!,
    port: Number(port),
    token: token!,
    out: () => heard.out,
    err: () => heard.err,
    says: async (words) => void (await until(() => heard.err.search(words) >= 0 || undefined, all)),
    ask,
    json: async (path, json) => (await ask(path, { json })).json(),
    stop: () => {
      child.kill("SIGINT")
      return ended
    },
    kill: () => {
      child.kill("SIGKILL")
      return ended
    }
  }
}

const running = new Set<ChildProcess>()

/** Ends what a failed test has left behind. */
export const endAll = (): void => {
  for (const child of running) child.kill("SIGKILL")
  running.clear()
}
