/**
 * One incarnation of a durable run: the host of its calls and the writer of its journal.
 *
 * All that happens to the run goes through here, one thing at a time, and is numbered as it enters: calls that end, times that
 * pass, messages. A call begins only when everything before it is stored, so a stored entry implies all entries before it, and
 * nobody sees what a crash could take back. A journal is fed to a new run in the same way, without a clock and without a call;
 * then the run goes live: what it asks for and the journal does not hold is begun.
 */
import { AsyncLocalStorage } from "node:async_hooks"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Scope from "effect/Scope"
import { type AnyWorkflow, launch, type Run, type RunStatus } from "stepgraph"
import {
  type Body,
  type Call,
  Host,
  type HostedRun,
  type RunHost,
  type Settlement,
  type Settling,
  type Sleep
} from "stepgraph/host"
import { HistoryDiverged } from "../Errors.ts"
import type { Batch, Json, StoredMessage, StoreService } from "../Store.ts"
import type { Codec, StoredSettlement } from "./codec.ts"

/** A call that was settled. */
interface Settled extends StoredSettlement {
  readonly i: string
  /** Its attempt, where that is not the first. */
  readonly n?: number
  /** It was a call of `recover`. */
  readonly r?: 1
  /** How many of its outputs were delivered, where not all were. */
  k?: number
}
/** A time that the run sleeps for, and when it is due. */
interface TimerSet {
  readonly t: string
  readonly d: number
}
interface TimerFired {
  readonly z: string
}
/** A message from outside, which is kept here once more: a journal alone is the run. */
interface MessageTaken {
  readonly m: number
  readonly v: Json
}
export type Entry = Settled | TimerSet | TimerFired | MessageTaken

const keyOf = ({ attempt, id, recovers }: Pick<Call, "attempt" | "id" | "recovers">): string =>
  attempt === 1 && !recovers ? id : `${id} ${attempt}${recovers ? " r" : ""}`
const keyOfEntry = ({ i, n = 1, r }: Settled): string => keyOf({ id: i, attempt: n, recovers: r !== undefined })

/** A settlement of a call that has done nothing but end. */
const endedBy = (exit: Settlement["exit"]): Settlement => ({
  exit,
  events: [],
  writes: [],
  collected: [],
  silent: false
})

export const outputTags = ({ outputs }: AnyWorkflow): ReadonlySet<string> =>
  new Set(outputs.map(({ tag }: { readonly tag: string }) => tag))

/** What may happen next to a live run. */
type Next =
  | { readonly _tag: "settled"; readonly call: Call; readonly settlement: Settlement; readonly settling: Settling }
  | { readonly _tag: "fired"; readonly key: string }
  | { readonly _tag: "message"; readonly message: StoredMessage }

interface Timer {
  readonly why: Sleep["why"]
  readonly due: number
  readonly fire: () => void
  fiber: Fiber<void> | undefined
}

/** What a driver says to whoever runs it. */
export interface Watcher {
  /** It has ended, and all of its journal is stored. */
  ended(exit: Exit.Exit<{ readonly _tag: string }, unknown>): void
  /** Nothing of it runs and everything is stored: it waits for a message or a time. Of a dry one: its history is at its end. */
  rests(): void
  /** Somebody else has written to its journal. */
  lost(): void
  /** It cannot go on with this graph. */
  diverged(error: HistoryDiverged): void
  /** Something has been stored. */
  stored(): void
}

export interface Driven {
  readonly id: string
  readonly epoch: number
  readonly flow: AnyWorkflow
  readonly codec: Codec
  readonly store: StoreService
  readonly start: Json
  readonly context: Context.Context<never>
  readonly history: ReadonlyArray<Batch>
  /** It stops at the end of its history: to look at it, or because it must not go on. */
  readonly dry?: boolean | undefined
}

/** What a driver needs of the handle of its run. */
export type Handle = Pick<
  Run<any, any, { readonly _tag: string }, unknown>,
  "send" | "closeInputs" | "interrupt" | "await"
>

const lastPart = 0.5

export class Driver implements RunHost {
  readonly hosted!: HostedRun
  /** Number of calls that were made again, because they had read a cell that was written meanwhile. */
  conflicts = 0
  live = false
  /** It has been given up here: what still ends is no part of its history. */
  abandoned = false
  /** Number of the last message that it has been given. */
  seen = 0
  private readonly of: Driven
  private readonly watcher: Watcher
  private readonly history: ReadonlyArray<Entry>
  private readonly recorded = new Set<string>()
  private readonly dues = new Map<string, number>()
  private readonly outputs: ReadonlySet<string>
  private readonly scope = Scope.makeUnsafe()
  private handle: Handle | undefined
  private position = 0
  /** The batch of the history that `position` is in. */
  private batch = 0
  private patience = 0
  private advancing = false
  private frozen = false
  private exit: Exit.Exit<{ readonly _tag: string }, unknown> | undefined
  private told = false
  /** Calls that were settled before, and wait for their entry. */
  private readonly asked = new Map<string, { readonly call: Call; readonly settling: Settling }>()
  /** Calls that have begun, or will. */
  private readonly open = new Map<string, string>()
  private readonly gates: Array<{ readonly after: number; readonly begin: () => void }> = []
  private readonly timers = new Map<string, Timer>()
  private readonly queue: Array<Next> = []
  private unrecorded: Array<Entry> = []
  private buffer: Array<Entry> = []
  private numbered: number
  private stored: number
  private writing = false
  private flushScheduled = false
  private delivered = 0

  constructor(of: Driven, watcher: Watcher) {
    this.of = of
    this.watcher = watcher
    const history = of.history.flatMap(({ entries }) => entries) as unknown as ReadonlyArray<Entry>
    this.history = history
    this.numbered = history.length
    this.stored = history.length
    this.outputs = outputTags(of.flow)
    for (const entry of history) {
      if ("i" in entry) this.recorded.add(keyOfEntry(entry))
      else if ("t" in entry) this.dues.set(entry.t, entry.d)
      else if ("m" in entry) this.seen = entry.m
    }
  }

  /** Begins the run, and lets happen what has happened. */
  begin(): void {
    const { codec, context, flow, start } = this.of
    let mine = true
    const host = (hosted: HostedRun) => {
      // The runs that its steps start are their own.
      if (!mine) return undefined
      mine = false
      return this.hosts(hosted)
    }
    const launched = Effect.suspend(() => launch(flow, codec.eventFrom(start) as never, { keep: 0 })).pipe(
      Effect.provideService(Host, host),
      Scope.provide(this.scope)
    ) as Effect.Effect<Run<any, any, any, any>, unknown>
    const fiber = Effect.runForkWith(context)(launched)
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) {
        this.diverges(`its start event, which cannot be taken: ${String(Cause.squash(exit.cause))}`)
        return
      }
      this.takes(exit.value)
    })
  }

  /** It is the host of this run from now on. */
  hosts(hosted: HostedRun): RunHost {
    ;(this as { hosted: HostedRun }).hosted = hosted
    return this
  }

  /** The run has begun, and this is what messages go through. */
  takes(handle: Handle): void {
    this.handle = handle
    Effect.runForkWith(this.of.context)(handle.await).addObserver((exit) => {
      this.exit = Exit.isSuccess(exit) ? exit.value : exit
      this.advance()
    })
    this.advance()
  }

  // ---------------------------------------------------------------- the host

  readonly runId = (): string => this.of.id

  readonly perform = (call: Call, body: Body): unknown => {
    const key = keyOf(call)
    if (!this.live && this.recorded.has(key)) return undefined
    if (this.abandoned) return Effect.never
    this.open.set(key, call.step)
    if (this.live && this.stored === this.numbered) return body.run()
    const inContext = AsyncLocalStorage.snapshot()
    const begun = Effect.callback<void>((resume) => {
      const gate = { after: this.live ? this.numbered : Number.NaN, begin: () => resume(Effect.void) }
      this.gates.push(gate)
      return Effect.sync(() => void this.gates.splice(this.gates.indexOf(gate), 1))
    })
    return Effect.map(begun, () => inContext(body.run))
  }

  readonly skips = (call: Call): boolean => {
    const key = keyOf(call)
    if (this.of.dry || this.abandoned || (!this.live && this.recorded.has(key))) return true
    // It is at work already: its run must not leave the memory while it waits for its limit.
    this.open.set(key, call.step)
    return false
  }

  readonly settle = (call: Call, settlement: Settlement, settling: Settling): void => {
    const key = keyOf(call)
    if (!this.live && this.recorded.has(key)) this.asked.set(key, { call, settling })
    else this.queue.push({ _tag: "settled", call, settlement, settling })
    this.advance()
  }

  readonly sleep = ({ id, millis, why }: Sleep, fire: () => void): (() => void) | undefined => {
    const key = `${why} ${id}`
    // Its call is settled with it, so it has no entry: it begins anew with the call.
    if (why === "attempt" || why === "grace") return undefined
    let due = this.dues.get(key)
    if (due === undefined) {
      due = this.now() + millis
      this.dues.set(key, due)
      const entry: TimerSet = { t: key, d: due }
      if (this.live) this.record(entry)
      // Its entry was lost with the process, and is made again once the run is live.
      else this.unrecorded.push(entry)
    }
    const timer: Timer = { why, due, fire, fiber: undefined }
    this.timers.set(key, timer)
    if (this.live) this.tick(key, timer)
    return () => {
      if (this.timers.get(key) === timer) this.timers.delete(key)
      timer.fiber?.interruptUnsafe()
    }
  }

  readonly idle = (): void => this.advance()

  readonly output = (): void => {
    this.delivered++
  }

  private now(): number {
    return Context.get(this.of.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  private wait(millis: number, why: Sleep["why"]): Fiber<void> {
    const time = Math.max(0, millis)
    // As the core does: whatever else is due at the instant of a deadline comes first.
    const sleep =
      why === "run" || why === "within"
        ? Effect.sleep(Math.max(0, time - lastPart)).pipe(
            Effect.andThen(Effect.sleep(Math.min(lastPart, time))),
            Effect.andThen(Effect.yieldNow)
          )
        : Effect.sleep(time)
    return Effect.runForkWith(this.of.context)(sleep)
  }

  private tick(key: string, timer: Timer): void {
    if (this.of.dry) return
    timer.fiber = this.wait(timer.due - this.now(), timer.why)
    timer.fiber.addObserver((exit) => {
      if (!Exit.isSuccess(exit)) return
      this.queue.push({ _tag: "fired", key })
      this.advance()
    })
  }

  // ---------------------------------------------------------------- from outside

  receive(messages: ReadonlyArray<StoredMessage>): void {
    for (const message of messages) {
      if (message.number !== this.seen + 1) continue
      this.seen = message.number
      this.queue.push({ _tag: "message", message })
    }
    this.advance()
  }

  status(): RunStatus {
    return this.hosted.status()
  }

  /** The steps of the calls that have begun, or would. */
  get performing(): ReadonlyArray<string> {
    return [...new Set(this.open.values())]
  }

  /**
   * When the last entry of a replay was stored; `undefined` before the first. Read for each entry of a trace, so it never starts
   * over.
   */
  get time(): number | undefined {
    const { history } = this.of
    if (this.position === 0) return undefined
    while (this.batch + 1 < history.length && history[this.batch + 1]!.from < this.position) this.batch++
    return history[this.batch]!.at
  }

  /** Whether it waits for nothing but a message or a time. */
  get resting(): boolean {
    return this.live && this.ready && this.idleNow
  }

  private get idleNow(): boolean {
    return (
      this.open.size === 0 &&
      this.queue.length === 0 &&
      this.gates.length === 0 &&
      this.buffer.length === 0 &&
      !this.writing
    )
  }

  get due(): number | undefined {
    let due: number | undefined
    for (const timer of this.timers.values()) if (due === undefined || timer.due < due) due = timer.due
    return due
  }

  /** Nothing enters until it is thawed: its owner is giving it back. */
  freeze(): void {
    this.frozen = true
  }

  thaw(): void {
    this.frozen = false
    this.advance()
  }

  /** Gives the run up in this process: it is interrupted, and nothing of that is recorded. */
  abandon(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.abandoned = true
      this.frozen = false
      for (const timer of this.timers.values()) timer.fiber?.interruptUnsafe()
      this.advance()
      return Scope.close(this.scope, Exit.void)
    })
  }

  // ---------------------------------------------------------------- one thing after another

  /** Whether the run is ready for the next thing to happen. */
  private get ready(): boolean {
    return !this.frozen && this.handle !== undefined && this.exit === undefined && this.hosted.resting()
  }

  private get enters(): boolean {
    return this.queue.length > 0 && this.ready
  }

  private advance(): void {
    if (this.advancing) return
    this.advancing = true
    try {
      do {
        while (this.step()) this.patience = 0
        this.beginStored()
        // What has begun may have ended already.
      } while (this.enters || (this.of.store.synchronous && this.flush()))
      if (!this.of.store.synchronous) this.scheduleFlush()
    } finally {
      this.advancing = false
    }
    this.tell()
  }

  /** Lets the next thing happen, if there is one. */
  private step(): boolean {
    if (!this.ready) return false
    if (this.abandoned) return this.enterUnrecorded()
    if (!this.live) return this.replay()
    const next = this.queue.shift()
    if (next === undefined) return false
    switch (next._tag) {
      case "settled":
        this.enter(next)
        break
      case "fired": {
        const timer = this.timers.get(next.key)
        if (timer === undefined) break
        this.timers.delete(next.key)
        this.record({ z: next.key })
        timer.fire()
        break
      }
      case "message":
        this.record({ m: next.message.number, v: next.message.message as unknown as Json })
        this.take(next.message.message)
    }
    return true
  }

  private enterUnrecorded(): boolean {
    const next = this.queue.shift()
    if (next?._tag === "settled") next.settling.enter(next.settlement)
    if (next !== undefined) return true
    for (const [key, { settling }] of this.asked) {
      this.asked.delete(key)
      settling.enter(endedBy(Exit.interrupt()))
      return true
    }
    return false
  }

  private enter({ call, settlement, settling }: Next & { _tag: "settled" }): void {
    if (settling.stale() && !Exit.hasInterrupts(settlement.exit)) {
      this.conflicts++
      settling.again()
      return
    }
    this.open.delete(keyOf(call))
    let stored: StoredSettlement
    let entering = settlement
    try {
      stored = this.of.codec.settlement(settlement)
    } catch (error) {
      // It cannot be stored, so it has not happened.
      entering = endedBy(Exit.die(error))
      stored = this.of.codec.settlement(entering)
    }
    // An error comes back as data: already now, so that the run does the same in a replay.
    if (stored.x !== undefined) {
      entering = { ...entering, exit: this.of.codec.settlementFrom({ x: stored.x }).exit }
    }
    const entry: Settled = {
      i: call.id,
      ...(call.attempt === 1 ? {} : { n: call.attempt }),
      ...(call.recovers ? { r: 1 as const } : {}),
      ...stored
    }
    this.record(entry)
    this.delivered = 0
    settling.enter(entering)
    if (this.outputs.size === 0) return
    const all = entering.events.filter(({ _tag }) => this.outputs.has(_tag)).length
    if (Exit.isSuccess(entering.exit) && this.delivered < all) entry.k = this.delivered
  }

  private take(message: StoredMessage["message"]): void {
    const { handle } = this
    const { context } = this.of
    const effect =
      message._tag === "event"
        ? Effect.suspend(() => handle!.send(this.of.codec.eventFrom(message.event)))
        : message._tag === "close"
          ? handle!.closeInputs
          : handle!.interrupt
    // It may come too late, which is no fault of the run.
    Effect.runForkWith(context)(Effect.ignore(effect))
  }

  // ---------------------------------------------------------------- a replay

  private replay(): boolean {
    const entry = this.history[this.position]
    if (entry === undefined) {
      this.goLive()
      return true
    }
    if ("t" in entry) {
      this.position++
      return true
    }
    if ("i" in entry) {
      const key = keyOfEntry(entry)
      const asked = this.asked.get(key)
      if (asked === undefined) return this.waitFor(entry)
      this.asked.delete(key)
      let settlement: Settlement
      try {
        settlement = this.of.codec.settlementFrom(entry)
      } catch (error) {
        this.diverges(`${inWords(entry)} with what its schema does not take any more: ${(error as Error).message}`)
        return false
      }
      this.position++
      asked.settling.enter(settlement)
    } else if ("z" in entry) {
      const timer = this.timers.get(entry.z)
      if (timer === undefined) return this.waitFor(entry)
      this.timers.delete(entry.z)
      this.position++
      timer.fire()
    } else {
      this.position++
      this.take(entry.v as unknown as StoredMessage["message"])
    }
    return true
  }

  /** The run has not come to it: all that a fiber still does comes in the next turns. */
  private waitFor(entry: Entry): boolean {
    if (++this.patience > 8) this.diverges(inWords(entry))
    else setImmediate(() => this.advance())
    return false
  }

  private diverges(what: string): void {
    if (this.abandoned) return
    this.frozen = true
    const { flow, id } = this.of
    this.watcher.diverged(new HistoryDiverged({ run: id, workflow: flow.name, entry: this.position, what }))
  }

  private goLive(): void {
    this.live = true
    if (this.of.dry) {
      this.frozen = true
      return
    }
    for (const entry of this.unrecorded) this.record(entry)
    this.unrecorded = []
    for (const [key, timer] of this.timers) this.tick(key, timer)
  }

  // ---------------------------------------------------------------- what is stored

  private record(entry: Entry): void {
    this.buffer.push(entry)
    this.numbered++
  }

  private beginStored(): void {
    if (!this.live || this.of.dry || this.abandoned) return
    while (this.gates.length > 0) {
      const { after } = this.gates[0]!
      // Those of a replay have no number: everything before them is stored but what the replay has added.
      if ((Number.isNaN(after) ? this.numbered : after) > this.stored) return
      this.gates.shift()!.begin()
    }
  }

  private scheduleFlush(): void {
    if (this.flushScheduled || this.writing || this.buffer.length === 0) return
    this.flushScheduled = true
    // At the end of this turn of the process, with all that it still brings.
    setImmediate(() => {
      this.flushScheduled = false
      this.flush()
    })
  }

  /** Stores what has been recorded; gives whether that is done already. */
  private flush(): boolean {
    if (this.writing || this.abandoned || this.buffer.length === 0) return false
    const { epoch, id, store } = this.of
    const entries = this.buffer
    this.buffer = []
    this.writing = true
    const fiber = Effect.runForkWith(this.of.context)(
      store.append(id, epoch, this.stored, entries as unknown as ReadonlyArray<Json>)
    )
    const done = (exit: Exit.Exit<boolean>) => {
      this.writing = false
      if (Exit.isFailure(exit) || !exit.value) {
        this.frozen = true
        this.watcher.lost()
        return
      }
      this.stored += entries.length
      this.watcher.stored()
    }
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      done(exit)
      return true
    }
    fiber.addObserver((exit) => {
      done(exit)
      this.advance()
    })
    return false
  }

  private tell(): void {
    if (this.of.dry && !this.told && !this.abandoned && (this.live || this.exit !== undefined)) {
      this.told = true
      this.watcher.rests()
    }
    if (this.told || this.abandoned || this.stored < this.numbered || this.writing) return
    if (this.exit !== undefined) {
      if (!this.live && this.history.slice(this.position).some((entry) => !("t" in entry))) {
        this.diverges(inWords(this.history[this.position]!))
        return
      }
      this.told = true
      this.watcher.ended(this.exit)
    } else if (this.resting) this.watcher.rests()
  }
}

const inWords = (entry: Entry): string => {
  if ("i" in entry) return `the end of call '${keyOfEntry(entry)}'`
  if ("z" in entry) return `that the time of '${entry.z}' has passed`
  if ("t" in entry) return `the time of '${entry.t}'`
  return `message ${entry.m}`
}
