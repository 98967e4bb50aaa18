/**
 * The calls of a durable run: which are begun and when, and how what they do becomes entries of its journal.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AnyWorkflow } from "stepgraph"
import type { Body, Call, Entering, HostedQuestion, Settlement, Settling } from "stepgraph/host"
import type { Json, Message } from "../Store.ts"
import type { Codec, StoredSettlement } from "./codec.ts"
import type { History } from "./history.ts"
import { type Asked, type CallEntry, inWords, keyOf, keyOfEntry, ofCall, outputTags, type Settled } from "./journal.ts"
import type { JournalWriter } from "./journal-writer.ts"
import { type Asking, answerIn, CallQuestions, type DurableQuestion } from "./questions.ts"

/** A settlement of a call that has done nothing but end. */
const endedBy = (exit: Settlement["exit"]): Settlement => ({
  exit,
  events: [],
  writes: [],
  collected: [],
  silent: false
})

/** The run that the calls belong to. */
interface Called extends Asking {
  readonly of: { readonly codec: Codec; readonly flow: AnyWorkflow; readonly dry?: boolean | undefined }
  readonly history: History
  readonly writer: JournalWriter
  readonly timers: { dueOf(call: Call): number | undefined }
  /** Something is to enter the run, or not, where the run has been given up. */
  comes(next: { enter(): void; drop(): void }): void
  /** Writes down what enters now; gives its number. */
  record(entry: CallEntry): number
  advance(): void
  diverges(what: string, instead: string, entry: number): void
}

/** A call in a replay, in whose place something is asked and streamed before it ends. */
interface Replayed {
  readonly body: Body
  /** It ends now. */
  end(): void
}

export class Calls {
  /** Number of calls that were made again, because they had read a cell that was written meanwhile. */
  conflicts = 0
  private readonly run: Called
  private readonly outputs: ReadonlySet<string>
  /** Calls that were settled before, and wait for their entry. */
  private readonly asked = new Map<string, Settling>()
  /** The steps of the calls that have begun, or will. */
  private readonly open = new Map<string, string>()
  private readonly replayed = new Map<string, Replayed>()
  private readonly questions = new Map<string, CallQuestions>()
  private delivered = 0

  constructor(run: Called) {
    this.run = run
    this.outputs = outputTags(run.of.flow)
  }

  /** The steps of those at work. */
  get performing(): ReadonlyArray<string> {
    return [...new Set([...this.open].flatMap(([key, step]) => (this.waits(key) ? [] : [step])))]
  }

  /** Whether none is at work: all that have begun wait for answers. */
  get idle(): boolean {
    for (const key of this.open.keys()) if (!this.waits(key)) return false
    return true
  }

  private waits(key: string): boolean {
    return this.questions.get(key)?.waits === true
  }

  /** Whether a call has ended in the journal, and that is still to happen. */
  private ends(key: string): boolean {
    return !this.run.live && this.run.history.ends(key)
  }

  // ---------------------------------------------------------------- their beginning

  readonly skips = (call: Call): boolean => {
    const { abandoned, history, live, of } = this.run
    const key = keyOf(call)
    if (of.dry || abandoned || this.ends(key)) return true
    // It is at work already: its run must not leave the memory while it waits for its limit.
    this.open.set(key, call.step)
    // It had its turn when it was first made.
    return !live && history.begins(key)
  }

  readonly perform = (call: Call, body: Body): unknown => {
    const { abandoned, history, live, writer } = this.run
    const key = keyOf(call)
    if (this.ends(key)) return history.begins(key) ? this.replaying(key, body) : undefined
    if (abandoned) return Effect.never
    this.open.set(key, call.step)
    if (live && writer.done) return body.run()
    if (!live) this.replayed.set(key, { body, end: () => {} })
    const begun = Effect.callback<void>((resume) => {
      const begin = () => resume(Effect.void)
      const stored = () => {
        const questions = this.questions.get(key)
        if (questions === undefined) begin()
        else questions.whenNeeded(begin)
      }
      return Effect.sync(writer.whenStored(stored, live))
    })
    return Effect.map(begun, body.run)
  }

  /** In place of a call that asked or streamed something before it ended. */
  private replaying(key: string, body: Body): Effect.Effect<void> {
    let over = false
    let resume: ((end: Effect.Effect<void>) => void) | undefined
    const end = () => {
      over = true
      resume?.(Effect.void)
    }
    this.replayed.set(key, { body, end })
    return Effect.callback<void>((go) => {
      if (over) go(Effect.void)
      else resume = go
    })
  }

  // ---------------------------------------------------------------- what leaves them before their end

  readonly asks = (call: Call, question: HostedQuestion, entering: Entering): HostedQuestion | undefined => {
    const { codec } = this.run.of
    const event = codec.event(question.event)
    const { awaits } = question
    const known = this.questions.get(keyOf(call))
    const found = known?.find(event, awaits)
    if (found !== undefined) {
      queueMicrotask(() => {
        known!.came()
        // A message may have waited for it.
        this.run.advance()
      })
      return found.question
    }
    const enter = () => {
      if (entering.wanted()) this.ask(call, question, event, entering)
    }
    const comes = () => this.run.comes({ enter, drop: () => {} })
    if (known === undefined) comes()
    else {
      const instead = `the call now asks ${JSON.stringify(event)} instead`
      known.askNew(comes, ({ entry, number }) => this.run.diverges(inWords(entry), instead, number))
    }
    return undefined
  }

  private ask(call: Call, question: HostedQuestion, v: Json, entering: Entering): void {
    const { timers } = this.run
    const d = timers.dueOf(call)
    const entry: Asked = {
      q: call.id,
      ...ofCall(call),
      v,
      w: question.awaits,
      ...(question.matches === undefined ? {} : { f: 1 as const }),
      ...(d === undefined ? {} : { d })
    }
    const asked = this.add(keyOf(call), this.run.record(entry), entry, true)
    asked.question = question
    entering.enter(asked)
  }

  private add(key: string, number: number, entry: Asked, attached: boolean): DurableQuestion {
    let questions = this.questions.get(key)
    if (questions === undefined) {
      questions = new CallQuestions(this.run)
      this.questions.set(key, questions)
    }
    return questions.add(number, entry, attached)
  }

  readonly streams = (call: Call, event: HostedQuestion["event"], entering: Entering): void => {
    const v = this.run.of.codec.event(event)
    const enter = () => {
      if (!entering.wanted()) return
      this.run.record({ o: call.id, ...ofCall(call), v })
      entering.enter()
    }
    this.run.comes({ enter, drop: () => {} })
  }

  /** Whether it is known which question a message answers; otherwise the calls are made that can say so. */
  knows(message: Message): boolean {
    const tag = answerIn(message)
    if (tag === undefined || this.questions.size === 0) return true
    let known = true
    for (const questions of this.questions.values()) {
      if (!questions.wonders(tag)) continue
      known = false
      questions.wake()
    }
    return known
  }

  // ---------------------------------------------------------------- their end

  readonly output = (): void => {
    this.delivered++
  }

  readonly settle = (call: Call, settlement: Settlement, settling: Settling): void => {
    const key = keyOf(call)
    if (this.ends(key)) {
      this.asked.set(key, settling)
      this.run.advance()
      return
    }
    const enter = () => this.enter(call, settlement, settling)
    this.run.comes({ enter, drop: () => settling.enter(settlement) })
  }

  private enter(call: Call, settlement: Settlement, settling: Settling): void {
    const { run } = this
    const { codec } = run.of
    const key = keyOf(call)
    if (settling.stale() && !Exit.hasInterrupts(settlement.exit)) {
      this.conflicts++
      const questions = this.questions.get(key)
      if (questions !== undefined) {
        questions.repeat()
        run.record({ g: call.id, ...ofCall(call) })
      }
      settling.again()
      return
    }
    this.forget(key)
    let stored: StoredSettlement
    let entering = settlement
    try {
      stored = codec.settlement(settlement)
    } catch (error) {
      // It cannot be stored, so it has not happened.
      entering = endedBy(Exit.die(error))
      stored = codec.settlement(entering)
    }
    // An error comes back as data: already now, so that the run does the same in a replay.
    if (stored.x !== undefined) entering = { ...entering, exit: codec.settlementFrom({ x: stored.x }).exit }
    const entry: Settled = { i: call.id, ...ofCall(call), ...stored }
    run.record(entry)
    this.delivered = 0
    settling.enter(entering)
    if (this.outputs.size === 0) return
    const all = entering.events.filter(({ _tag }) => this.outputs.has(_tag)).length
    if (Exit.isSuccess(entering.exit) && this.delivered < all) entry.k = this.delivered
  }

  private forget(key: string): void {
    this.open.delete(key)
    this.questions.get(key)?.stop()
    this.questions.delete(key)
    this.replayed.delete(key)
  }

  /** The run has been given up. */
  stop(): void {
    for (const questions of this.questions.values()) questions.stop()
  }

  /** The run has been given up: a call that waits for its entry ends; `false` where none does. */
  dropAsked(): boolean {
    for (const [key, settling] of this.asked) {
      this.asked.delete(key)
      settling.enter(endedBy(Exit.interrupt()))
      return true
    }
    return false
  }

  // ---------------------------------------------------------------- a replay

  /** The journal has happened again. */
  goLive(): void {
    this.replayed.clear()
  }

  /** What an entry does; `undefined` if the run has not come to it. */
  happening(entry: CallEntry): ((number: number) => void) | undefined {
    const { codec } = this.run.of
    const key = keyOfEntry(entry)
    if ("g" in entry) return () => this.questions.get(key)?.repeat()
    const replayed = this.replayed.get(key)
    if ("q" in entry) return replayed && ((number) => this.askAgain(key, replayed.body, number, entry))
    if ("o" in entry) return replayed && (() => replayed.body.stream(codec.eventFrom(entry.v)))
    // It has done all that it did before its end.
    if (!this.asked.has(key)) replayed?.end()
    const asked = this.asked.get(key)
    if (asked === undefined) return undefined
    return () => {
      const settlement = codec.settlementFrom(entry)
      this.asked.delete(key)
      this.forget(key)
      asked.enter(settlement)
    }
  }

  private askAgain(key: string, body: Body, number: number, entry: Asked): void {
    const event = this.run.of.codec.eventFrom(entry.v)
    const asked = this.add(key, number, entry, false)
    asked.question = body.ask({ event, awaits: entry.w, matches: asked.matches }, asked)
  }
}
