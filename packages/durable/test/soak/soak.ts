// Kills processes that perform durable runs, at any moment, and then asks whether anybody can tell.
import { type ChildProcess, fork } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { startPostgres } from "@stepgraph/conformance/support/postgres"
import { type Begun, cases, flowsWith } from "./flows.ts"
import { openStore, writersOf } from "./stores.ts"

export interface SoakOptions {
  /** How often a process is killed. */
  readonly kills: number
  /** Runs that are begun with each process. */
  readonly runs: number
  readonly seed: number
}

export interface Soaked {
  readonly kills: number
  readonly bootKills: number
  /** How often a process was stopped for longer than its lease. */
  readonly stopped?: number
  readonly runs: number
  readonly calls: number
  /** Calls that began more than once: at least once is what is promised. */
  readonly again: number
  readonly problems: ReadonlyArray<string>
}

export const soak = async ({ kills, runs, seed }: SoakOptions): Promise<Soaked> => {
  const folder = mkdtempSync(join(tmpdir(), "soak-"))
  const place = join(folder, "runs.db")
  const log = join(folder, "calls.log")
  const next = randomFrom(seed)
  let killed = 0
  let bootKills = 0
  let started = runs
  /** Kills it some time after it was started, or after it has begun to work; otherwise it ends by itself. */
  const worker = (kill: { readonly boot: boolean; readonly after: number } | undefined) =>
    new Promise<boolean>((resolve, reject) => {
      const child = fork(new URL("worker.ts", import.meta.url), [place, log, String(started)], { execArgv: [] })
      let done = false
      let timer: NodeJS.Timeout | undefined
      const killLater = () => {
        timer = setTimeout(() => child.kill("SIGKILL"), kill!.after)
      }
      if (kill?.boot === true) killLater()
      child.on("message", (what) => {
        if (what === "done") done = true
        else if (kill?.boot === false) killLater()
      })
      child.once("exit", (code, signal) => {
        clearTimeout(timer)
        if (signal === "SIGKILL") resolve(false)
        else if (code === 0 && done) resolve(true)
        else reject(new Error(`a worker ended with ${code ?? signal}`))
      })
    })
  try {
    while (killed < kills) {
      const boot = killed % 5 === 4
      if (await worker({ boot, after: next(boot ? 800 : 500) })) started += runs
      else {
        killed++
        if (boot) bootKills++
      }
    }
    await worker(undefined)
    return { kills: killed, bootKills, ...(await examine(place, log, started)) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * The same with three processes on one Postgres. Some are stopped for longer than their lease and then go on, and the database
 * itself dies halfway.
 */
export const soakMany = async ({ kills, runs, seed }: SoakOptions): Promise<Soaked> => {
  const folder = mkdtempSync(join(tmpdir(), "soak-"))
  const log = join(folder, "calls.log")
  const postgres = await startPostgres()
  const next = randomFrom(seed)
  let killed = 0
  let stopped = 0
  let bootKills = 0
  let crashed = false
  let started = runs
  const workers = new Set<ChildProcess>()
  const ready = new Set<ChildProcess>()
  const ended: Array<Promise<unknown>> = []
  const begin = () => {
    // One that starts while the database is away says so and ends: another is begun.
    const child = fork(new URL("worker.ts", import.meta.url), [postgres.url, log, String(started)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"]
    })
    workers.add(child)
    // Each has something to do, and a part of it is what another has begun.
    if (killed < kills) started += Math.ceil(runs / 3)
    child.on("message", (what) => {
      if (what === "ready") ready.add(child)
    })
    ended.push(
      new Promise<void>((resolve) =>
        child.once("exit", () => {
          workers.delete(child)
          ready.delete(child)
          resolve()
        })
      )
    )
  }
  const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
  try {
    while (killed < kills) {
      while (workers.size < 3) begin()
      await sleep(100 + next(500))
      // One in five is hit while it starts.
      const some = [...(next(5) < 1 ? workers : ready)]
      const child = some[Math.floor(next(some.length))]
      if (child === undefined) continue
      if (next(6) < 1) {
        stopped++
        child.kill("SIGSTOP")
        setTimeout(() => child.kill("SIGCONT"), 3000)
      } else {
        killed++
        if (!ready.has(child)) bootKills++
        child.kill("SIGKILL")
      }
      if (!crashed && killed > kills / 2) {
        crashed = true
        postgres.crash()
      }
    }
    await sleep(3500)
    for (const child of workers) child.kill("SIGKILL")
    await Promise.all(ended)
    begin()
    await Promise.all(ended)
    return { kills: killed, bootKills, stopped, ...(await examine(postgres.url, log, started)) }
  } finally {
    for (const child of workers) child.kill("SIGKILL")
    postgres.stop()
    rmSync(folder, { recursive: true })
  }
}

const randomFrom = (seed: number) => {
  let random = seed
  return (below: number) => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    return (random / 2 ** 32) * below
  }
}

const examine = async (place: string, log: string, started: number) => {
  const problems: Array<string> = []
  const flows = flowsWith(`${log}.none`)
  await using runs = await openStore(place, Object.values(flows))
  const settled = new Map<string, number>()
  for (const { ends, id, kind } of cases(started)) {
    const run: any = runs.run(flows[kind] as any, id)
    const { _tag: _, winner, ...result } = await run.result
    if (!isDeepStrictEqual(result, ends)) problems.push(`${id} ended with ${JSON.stringify(result)}`)
    // Its journal alone, in a process that has performed nothing of it, gives the same again.
    const trace: ReadonlyArray<any> = await run.trace()
    const last = trace.at(-1)
    if (last._tag !== "RunFinished" || last.outcome !== "stopped")
      problems.push(`${id} does not end again: ${JSON.stringify(last)}`)
    const stop = trace.findLast((entry) => entry._tag === "EventEmitted" && entry.tag === "Stop")
    if (!isDeepStrictEqual(stop?.data, { ...(winner === undefined ? {} : { winner }), ...result })) {
      problems.push(`${id} ends with another answer again: ${JSON.stringify(stop)}`)
    }
    const asked = trace.flatMap(({ _tag, invocation, question }) =>
      _tag === "QuestionAsked" ? [`${invocation} ${question}`] : []
    )
    if (kind === "asks" && (asked.length !== 8 || new Set(asked).size !== 8)) problems.push(`${id} asked ${asked}`)
    for (const entry of trace) if (entry._tag === "InvocationEnded") settled.set(`${id} ${entry.invocation}`, entry.at)
  }
  const ids = cases(started).map(({ id }) => id)
  for (const [i, epochs] of (await writersOf(place, ids)).entries()) {
    // Who has lost a run has written nothing after the next one.
    if (epochs.some((epoch, n) => n > 0 && epoch < epochs[n - 1]!)) {
      problems.push(`${ids[i]} was written by ${epochs.join(", ")}`)
    }
  }
  if (existsSync(`${log}.none`)) problems.push("a step was called again after its run had ended")

  const calls = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Begun]
      } catch {
        // The process died while it wrote it.
        return []
      }
    })
  const inputs = new Map<string, unknown>()
  let again = 0
  for (const { at, attempt, call, input, run } of calls) {
    const key = `${run} ${call}`
    if (inputs.has(key)) {
      if (attempt === 1) again++
      if (!isDeepStrictEqual(inputs.get(key), input)) {
        problems.push(`${key} was given ${JSON.stringify(inputs.get(key))}, and then ${JSON.stringify(input)}`)
      }
    } else inputs.set(key, input)
    const end = settled.get(key)
    if (end !== undefined && at > end)
      problems.push(`${key} was called again ${at - end} ms after it had been settled, attempt ${attempt}`)
  }
  return { runs: started, calls: calls.length, again, problems }
}

if (import.meta.main) {
  const [kills = "150", runs = "5", seed = String(Date.now() % 1000), place = "sqlite"] = process.argv.slice(2)
  const start = performance.now()
  const { problems, ...soaked } = await (place === "sqlite" ? soak : soakMany)({
    kills: Number(kills),
    runs: Number(runs),
    seed: Number(seed)
  })
  const { again, bootKills, calls, kills: killed, runs: ended, stopped } = soaked
  const stops = stopped === undefined ? "" : `, ${stopped} stopped past their lease, the database killed`
  console.log(
    `soak on ${place}, seed ${seed}: ${killed} processes killed (${bootKills} as they started)${stops}; ` +
      `${ended} runs ended, ${calls} calls (${again} of them again), ${problems.length} problems, ` +
      `${Math.round((performance.now() - start) / 1000)} s`
  )
  for (const problem of problems.slice(0, 20)) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
}
