/**
 * One life of a run whose process may die: its journal, and its calls, which begin only once the journal has been fed.
 *
 * The journal is that of durable runs: calls that ended, and timers that fired. What a call had done before its process died
 * stays done, and all else of it is lost.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Body, Call, HostedRun, RunHost, Settlement } from "stepgraph/host"
import { type Activation, Journal, keyOf, type Next } from "./journal.ts"
import type { Modes } from "./modes.ts"
import { Process } from "./scheduler.ts"
import type { Message, Take } from "./sending.ts"
import { show } from "./show.ts"
import type { Ways } from "./ways.ts"

/** What a dead process has left. */
export interface Past {
  readonly entries: ReadonlyArray<Activation>
  /** When the timers of the run are due. */
  readonly dues: ReadonlyMap<string, number>
  /** Which of the ready steps began, each time. */
  readonly picks: ReadonlyArray<Pick>
  /** The calls whose functions were called, and those that ended. */
  readonly begun: ReadonlySet<string>
  readonly calls: ReadonlyMap<string, Call>
}

interface Pick {
  readonly steps: string
  readonly pick: number | undefined
}

/** Who hears of a life. */
export interface Hears {
  /** A call has ended, and that is about to be recorded. Returns whether the process dies before. */
  readonly dies: (call: Call) => boolean
  /** A call is made again. */
  readonly repeats: (call: Call) => void
  /** The writes of a call take effect. */
  readonly writes: (call: Call, writes: Settlement["writes"]) => void
  readonly live: () => void
}

export const callText = ({ step, input, recovers }: Call): string =>
  `${recovers ? "recover of " : ""}${step}(${show(input)})`

/** The keys of messages begin with this. */
const input = "input "

/** The last part of a deadline, so that all else due at its instant comes first. */
const lastPart = 0.5

export class Incarnation {
  readonly process: Process
  readonly journal: Journal
  private readonly ways: Ways
  private readonly time: Modes["time"]
  private readonly past: Past | undefined
  private readonly hears: Hears
  private readonly dues: Map<string, number>
  private readonly picks: Array<Pick> = []
  private readonly begun = new Set<string>()
  private readonly gates: Array<() => void> = []
  private readonly calls = new Map<string, Call>()
  private readonly inbox: ReadonlyArray<Message>
  private take: Take | undefined
  private picked = 0
  /** Whether cells are only read to see if they have changed. */
  private compares = false

  constructor(ways: Ways, time: Modes["time"], past: Past | undefined, inbox: ReadonlyArray<Message>, hears: Hears) {
    this.inbox = inbox
    this.ways = ways
    this.time = time
    this.past = past
    this.hears = hears
    this.dues = new Map(past?.dues)
    this.process = new Process(ways.pool)
    this.journal = new Journal(past?.entries ?? [], {
      outside: (key) => (this.take === undefined || !key.startsWith(input) ? undefined : this.message(key)),
      enters: (next) => this.enters(next),
      live: () => this.goLive()
    })
  }

  /** What is left of it. With a workflow made anew, the cells of its state are other objects. */
  left(madeAnew: boolean): Past {
    const entries = madeAnew ? this.journal.entries.map(byName) : [...this.journal.entries]
    return { entries, dues: this.dues, picks: this.picks, begun: this.begun, calls: this.calls }
  }

  /** What its journal holds and it has not come to, in words. */
  get missing(): string | undefined {
    const key = this.journal.missing
    if (key === undefined) return undefined
    const call = this.past?.calls.get(key)
    if (key.startsWith(input)) return `message ${Number(key.slice(input.length)) + 1}, which had been taken`
    return call === undefined ? `the time of '${key}', which had passed` : `${callText(call)}, which had ended`
  }

  /** The host of its run; `base` is that of a run which is not cut. */
  hostOf(run: HostedRun, base: RunHost): RunHost {
    const { journal, process } = this
    journal.hosted = run
    return {
      ...base,
      next: (steps) => this.next(steps),
      skips: (call) => process.dead || journal.expects(keyOf(call)),
      perform: (call, body) => this.perform(call, body, base),
      waits: (call) => {
        const settled = base.waits!(call)
        return (enter) => {
          if (!process.dead) settled(enter)
        }
      },
      settle: (call, settlement, settling) => {
        if (process.dead) return
        this.calls.set(keyOf(call), call)
        const stale = () => {
          this.compares = true
          const is = settling.stale()
          this.compares = false
          return is
        }
        journal.settle(call, settlement, { ...settling, stale }, ({ writes }) => this.hears.writes(call, writes))
      },
      touches: (...touched) => {
        if (!this.compares) base.touches?.(...touched)
      },
      sleep: (sleep, fire) => {
        if (process.dead) return () => {}
        const { why, id, millis } = sleep
        // Their call is settled after them.
        if (why === "attempt" || why === "grace") return base.sleep!(sleep, fire)
        const key = `${why} ${id}`
        const due = this.dues.get(key) ?? this.now + millis
        this.dues.set(key, due)
        const invocation = why === "retry" ? id.slice(0, id.lastIndexOf("/")) : undefined
        const limit = why === "run" ? why : undefined
        return journal.timer(key, fire, (over) =>
          why === "within" && this.time === "ordered"
            ? this.deadline(due - this.now, over)
            : this.ways.clock.add(due - this.now, { invocation, limit }, over)
        )
      },
      idle: () => {
        if (!process.dead) journal.pump()
      }
    }
  }

  /** The run can take messages from now on. */
  connect(take: Take): void {
    this.take = take
    for (const number of this.inbox.keys()) this.receive(number)
    this.journal.pump()
  }

  /** A message has come. */
  receive(number: number): void {
    if (this.take === undefined || this.process.dead) return
    const key = `${input}${number}`
    if (!this.past?.entries.some((entry) => entry.key === key)) this.journal.offer(this.message(key))
  }

  private message(key: string): Next {
    const enter = () => {
      Effect.runFork(this.take!(this.inbox[Number(key.slice(input.length))]), { scheduler: this.process })
      return true
    }
    return { key, enter }
  }

  private get now(): number {
    return this.ways.clock.currentTimeMillisUnsafe()
  }

  private deadline(millis: number, over: () => void): () => void {
    const { clock } = this.ways
    let stop = clock.add(Math.max(0, millis - lastPart), {}, () => {
      stop = clock.add(Math.min(lastPart, Math.max(0, millis)), {}, over)
    })
    return () => stop()
  }

  private next(steps: ReadonlyArray<string>): number | undefined {
    if (this.process.dead) return undefined
    const text = steps.join()
    if (this.journal.replays) {
      const before = this.past?.picks[this.picked++]
      return before?.steps === text ? before.pick : 0
    }
    const pick = this.ways.next(steps)
    this.picks.push({ steps: text, pick })
    return pick
  }

  private perform(call: Call, body: Body, base: RunHost): unknown {
    const key = keyOf(call)
    if (this.process.dead) return Effect.never
    if (this.journal.expects(key)) return undefined
    const begin = () => {
      if (this.process.dead) return Effect.never
      if (this.past?.begun.has(key) && !this.begun.has(key)) this.hears.repeats(call)
      this.begun.add(key)
      return base.perform!(call, body)
    }
    if (!this.journal.replays) return begin()
    const live = Effect.callback<void>((resume) => {
      const open = () => resume(Effect.void)
      this.gates.push(open)
      return Effect.sync(() => void this.gates.splice(this.gates.indexOf(open), 1))
    })
    return Effect.map(live, begin)
  }

  private goLive(): void {
    this.hears.live()
    for (const open of this.gates.splice(0)) open()
  }

  private enters({ key, settlement }: Next): boolean {
    if (this.process.dead) return false
    return settlement === undefined || !this.hears.dies(this.calls.get(key)!)
  }
}

/** An activation whose writes name their cells, for a workflow with cells of its own. */
const byName = (activation: Activation): Activation => {
  const { settlement } = activation
  if (settlement === undefined || settlement.writes.length === 0) return activation
  return { ...activation, settlement: { ...settlement, writes: settlement.writes.map(named) } }
}

const named = (write: Settlement["writes"][number]): Settlement["writes"][number] => {
  if (!("state" in write)) return write
  const { name, schema } = write.state
  try {
    return { name, json: Schema.encodeUnknownSync(Schema.toCodecJson(schema) as Schema.Codec<unknown>)(write.value) }
  } catch {
    return write
  }
}
