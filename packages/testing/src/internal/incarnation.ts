/**
 * One life of a run whose process may die: its journal, and its calls, which begin only once the journal has been fed.
 *
 * The journal is that of durable runs: calls that ended, what they asked and streamed before that, and timers that fired. What a
 * call had done before its process died stays done, and all else of it is lost.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Body, Call, Entering, HostedQuestion, HostedRun, RunHost, Settlement, Sleep } from "stepgraph/host"
import { type Activation, callOf, keyOf, type Next, nameOf } from "./activation.ts"
import { Journal } from "./journal.ts"
import type { Modes } from "./modes.ts"
import { Process } from "./scheduler.ts"
import type { Message, Take } from "./sending.ts"
import { show } from "./show.ts"
import type { Ways } from "./ways.ts"

/** What a dead process has left. */
export interface Past {
  /** When the run began. */
  readonly began: number
  readonly entries: ReadonlyArray<Activation>
  /** When the timers of the run are due. */
  readonly dues: ReadonlyMap<string, number>
  /** Which of the ready steps began, each time. */
  readonly picks: ReadonlyArray<Pick>
  /** The calls whose functions were called, and those that did something that was recorded. */
  readonly begun: ReadonlySet<string>
  readonly calls: ReadonlyMap<string, Call>
}

interface Pick {
  readonly steps: string
  readonly pick: number | undefined
}

/** Who hears of a life. */
export interface Hears {
  /** A call has ended, or asks or streams something, and that is about to be recorded. Returns whether the process dies before. */
  readonly dies: (call: Call, what: string | undefined) => boolean
  /** A call is made again. */
  readonly repeats: (call: Call) => void
  /** A call ends. `alone`: it failed by itself while the run was at work, whatever has entered since. */
  readonly ends: (call: Call, alone: boolean) => void
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
  /** When the attempts at work are due. */
  private readonly attempts = new Map<string, number>()
  private readonly calls = new Map<string, Call>()
  private readonly inbox: ReadonlyArray<Message>
  private take: Take | undefined
  private picked = 0
  private began: number
  /** Whether cells are only read to see if they have changed. */
  private compares = false

  constructor(ways: Ways, time: Modes["time"], past: Past | undefined, inbox: ReadonlyArray<Message>, hears: Hears) {
    this.inbox = inbox
    this.ways = ways
    this.time = time
    this.past = past
    this.hears = hears
    this.dues = new Map(past?.dues)
    this.began = this.now
    this.process = new Process(ways.pool)
    this.journal = new Journal(past?.entries ?? [], {
      outside: (key) => (this.take === undefined || !key.startsWith(input) ? undefined : this.message(key)),
      enters: (next) => this.enters(next),
      now: () => this.now,
      live: () => this.hears.live()
    })
  }

  /** What is left of it. With a workflow made anew, the cells of its state are other objects. */
  left(madeAnew: boolean): Past {
    const entries = madeAnew ? this.journal.entries.map(byName) : [...this.journal.entries]
    return { began: this.began, entries, dues: this.dues, picks: this.picks, begun: this.begun, calls: this.calls }
  }

  /** What its journal holds and it has not come to, in words. */
  get missing(): string | undefined {
    const { missing } = this.journal
    if (missing === undefined) return undefined
    const { asked, key, streamed } = missing
    const name = callOf(missing)
    const never = "the new process never reaches"
    if (key.startsWith(input)) return `${never} message ${Number(key.slice(input.length)) + 1}, which had been taken`
    if (name === undefined) return `${never} the time of '${key}', which had passed`
    const call = callText(this.past!.calls.get(name)!)
    const did = asked !== undefined ? "asked something" : streamed !== undefined ? "streamed an event" : "ended"
    return `${never} ${call}, which had ${did}`
  }

  /** How a call that is made again differs from before, in words. */
  get another(): string | undefined {
    const another = this.journal.another
    if (another === undefined) return undefined
    const { before, call, now } = another
    return `${callText(this.calls.get(call)!)} asked ${show(before)}, and now asks ${show(now)} instead`
  }

  /** The host of its run; `base` is that of a run which is not cut. */
  hostOf(run: HostedRun, base: RunHost): RunHost {
    const { journal, process } = this
    journal.hosted = run
    this.began = this.past?.began ?? this.now
    return {
      ...base,
      next: (steps) => this.next(steps),
      skips: (call) => process.dead || journal.expects(keyOf(call)) || journal.calls.hasBegun(call),
      perform: (call, body) => this.perform(call, body, base),
      waits: (call) => {
        const settled = base.waits!(call)
        return (enter) => {
          if (!process.dead) settled(enter)
        }
      },
      asks: (call, question, entering) => this.asks(call, question, entering),
      streams: (call, event, entering) => {
        if (process.dead) return
        this.calls.set(nameOf(call), call)
        journal.calls.stream(call, event, entering)
      },
      settle: (call, settlement, settling) => {
        if (process.dead) return
        this.calls.set(nameOf(call), call)
        const stale = () => {
          this.compares = true
          const is = settling.stale()
          this.compares = false
          return is
        }
        const atWork = run.status().state === "running"
        journal.settle(call, settlement, { ...settling, stale }, ({ exit, writes }) => {
          this.hears.ends(call, atWork && Exit.isFailure(exit) && exit.cause.reasons[0]?._tag !== "Interrupt")
          this.hears.writes(call, writes)
        })
      },
      touches: (...touched) => {
        if (!this.compares) base.touches?.(...touched)
      },
      sleep: (sleep, fire) => {
        if (process.dead) return () => {}
        const { why, id, millis } = sleep
        // Their call is settled after them.
        if (why === "grace") return base.sleep!(sleep, fire)
        if (why === "attempt") return this.attempt(sleep, fire, base)
        const key = `${why} ${id}`
        const due = this.dues.get(key) ?? (this.recorded ?? this.now) + millis
        this.dues.set(key, due)
        const invocation = why === "retry" ? id.slice(0, id.lastIndexOf("/")) : undefined
        const limit = why === "run" ? why : undefined
        return journal.timer(key, fire, (over) =>
          why === "within" && this.time === "ordered"
            ? this.deadline(due - this.now, over)
            : this.ways.clock.add(due - this.now, { invocation, limit }, over)
        )
      },
      now: () => this.recorded,
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
    const message = this.inbox[Number(key.slice(input.length))]
    const enter = () => {
      // It enters as a whole, also where the promise of a step lets it.
      this.ways.pool.inside(() => Effect.runFork(this.take!(message), { scheduler: this.process }))
      return true
    }
    return { key, enter, message: { tag: message?._tag } }
  }

  /** When what is fed now happened first. */
  private get recorded(): number | undefined {
    return this.journal.replays ? (this.journal.time ?? this.began) : undefined
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
    const name = nameOf(call)
    if (this.process.dead) return Effect.never
    return this.journal.calls.perform(call, body, () => {
      if (this.process.dead) return Effect.never
      if (this.past?.begun.has(name) && !this.begun.has(name)) this.hears.repeats(call)
      this.begun.add(name)
      return base.perform!(call, body)
    })
  }

  private asks(call: Call, question: HostedQuestion, entering: Entering): HostedQuestion | undefined {
    const { journal, process } = this
    if (process.dead) return undefined
    this.calls.set(nameOf(call), call)
    const known = journal.calls.ask(call, question, entering)
    return process.dead ? undefined : known
  }

  /** The `timeout` of an attempt begins anew in another process, unless that has asked something. */
  private attempt({ id, millis, ...sleep }: Sleep, fire: () => void, base: RunHost): () => void {
    const due = this.dues.get(id) ?? this.now + millis
    this.attempts.set(id, due)
    const stop = base.sleep!({ ...sleep, id, millis: Math.max(0, due - this.now) }, fire)!
    return () => {
      this.attempts.delete(id)
      this.dues.delete(id)
      stop()
    }
  }

  private enters(next: Next): boolean {
    if (this.process.dead) return false
    const name = callOf(next)
    if (name === undefined) return true
    const { asked, streamed } = next
    const call = this.calls.get(name)!
    const event = asked?.event ?? streamed
    if (this.hears.dies(call, event && show(event))) return false
    const id = `${call.id}/${call.attempt}`
    const due = this.attempts.get(id)
    if (asked !== undefined && !call.recovers && due !== undefined) this.dues.set(id, due)
    return true
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
