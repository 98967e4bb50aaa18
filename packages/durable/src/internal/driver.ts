/**
 * One incarnation of a durable run: decides what enters it next.
 *
 * All that happens to the run goes through here, one thing at a time, and is numbered as it enters: calls that end, what they
 * ask and stream before that, times that pass, messages. A call begins only when everything before it is stored, so a stored
 * entry implies all entries before it, and nobody sees what a crash could take back. A journal is fed to a new run in the same
 * way, without a clock and without a call; then the run goes live: what it asks for and the journal does not hold is begun.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { launch, type Run, type RunStatus } from "stepgraph"
import { Host, type HostedRun, type RunHost } from "stepgraph/host"
import { HistoryDiverged } from "../Errors.ts"
import type { Json, Message, StoredMessage } from "../Store.ts"
import { Calls } from "./calls.ts"
import type { Driven, Handle, Watcher } from "./driven.ts"
import { History } from "./history.ts"
import { Inbox, type Next } from "./inbox.ts"
import { type Entry, inWords } from "./journal.ts"
import { JournalWriter } from "./journal-writer.ts"
import { DurableTimers } from "./timers.ts"

export class Driver {
  readonly of: Driven
  readonly history: History
  readonly writer: JournalWriter
  readonly timers: DurableTimers
  hosted!: HostedRun
  live = false
  /** It has been given up here: what still ends is no part of its history. */
  abandoned = false
  /** The entry that is entering, in which is noted what comes of it. */
  entering: Entry | undefined
  private readonly watcher: Watcher
  private readonly calls: Calls
  private readonly inbox: Inbox
  private readonly scope = Scope.makeUnsafe()
  handle: Handle | undefined
  private advancing = false
  private frozen = false
  private exit: Exit.Exit<{ readonly _tag: string }, unknown> | undefined
  private told = false
  /** What a replay has added. */
  private unrecorded: Array<Entry> = []

  constructor(of: Driven, watcher: Watcher) {
    this.of = of
    this.watcher = watcher
    this.history = new History(of.history)
    this.timers = new DurableTimers(this)
    this.writer = new JournalWriter(this, this.history.length)
    this.calls = new Calls(this)
    this.inbox = new Inbox(this, this.calls)
  }

  // ---------------------------------------------------------------- from the first to the last

  /** Begins the run, and lets happen what has happened. */
  begin(): void {
    const { codec, flow, start } = this.of
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
    this.fork(launched).addObserver((exit) => {
      if (Exit.isSuccess(exit)) this.takes(exit.value)
      else this.diverges(`its start event, which cannot be taken: ${String(Cause.squash(exit.cause))}`)
    })
  }

  /** It is the host of this run from now on. */
  hosts(hosted: HostedRun): RunHost {
    this.hosted = hosted
    const { calls, timers } = this
    return {
      runId: () => this.of.id,
      perform: calls.perform,
      skips: calls.skips,
      asks: calls.asks,
      streams: calls.streams,
      settle: calls.settle,
      output: calls.output,
      sleep: timers.sleep,
      now: () => this.past,
      idle: () => this.advance()
    }
  }

  /** The run has begun, and this is what messages go through. */
  takes(handle: Handle): void {
    this.handle = handle
    this.fork(handle.await).addObserver((exit) => {
      this.exit = Exit.isSuccess(exit) ? exit.value : exit
      this.advance()
    })
    this.advance()
  }

  fork<A, E>(effect: Effect.Effect<A, E>): ReturnType<typeof Effect.runFork<A, E>> {
    return Effect.runForkWith(this.of.context)(effect)
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
      this.timers.stop()
      this.calls.stop()
      this.advance()
      return Scope.close(this.scope, Exit.void)
    })
  }

  /** It cannot go on with this graph: its journal has an entry that the graph does not come to, or comes to otherwise. */
  diverges(what: string, instead?: string, entry = this.history.position): void {
    if (this.abandoned) return
    this.frozen = true
    const { flow, id } = this.of
    this.watcher.diverged(new HistoryDiverged({ run: id, workflow: flow.name, entry, what, instead }))
  }

  // ---------------------------------------------------------------- how it stands

  status(): RunStatus {
    return this.hosted.status()
  }

  /** Number of calls that were made again, because they had read a cell that was written meanwhile. */
  get conflicts(): number {
    return this.calls.conflicts
  }

  /** The steps of the calls that are at work, or would be. */
  get performing(): ReadonlyArray<string> {
    return this.calls.performing
  }

  /** When that happened which a replay lets happen now; `undefined` once it is live. Nothing is later than the end of a dry one. */
  get past(): number | undefined {
    const { createdAt, dry } = this.of
    if (dry !== true && (this.live || this.history.length === 0)) return undefined
    return this.history.time ?? createdAt
  }

  /** Number of the last message that it has been given. */
  get seen(): number {
    return this.inbox.seen
  }

  /** When it has something to do by itself. */
  get due(): number | undefined {
    return this.timers.next
  }

  /** Whether it waits for nothing but a message or a time. */
  get resting(): boolean {
    return this.live && this.ready && this.inbox.empty && this.writer.idle && this.calls.idle
  }

  // ---------------------------------------------------------------- what its journal is written to

  get synchronous(): boolean {
    return this.of.store.synchronous
  }

  append(from: number, entries: ReadonlyArray<Json>): Effect.Effect<boolean> {
    return this.of.store.append(this.of.id, this.of.epoch, from, entries)
  }

  stored(): void {
    this.watcher.stored()
  }

  lost(failed: boolean): void {
    this.frozen = true
    this.watcher.lost(failed)
  }

  // ---------------------------------------------------------------- one thing after another

  receive(messages: ReadonlyArray<StoredMessage>): void {
    this.inbox.receive(messages)
    this.advance()
  }

  /** Something is to enter the run. */
  comes(next: Next): void {
    this.inbox.add(next)
    this.advance()
  }

  /** Writes down what enters now; gives its number. */
  record(entry: Entry): number {
    this.entering = entry
    return this.writer.record(entry)
  }

  /** Writes down what has happened already, without being asked. */
  add(entry: Entry): void {
    if (this.live) this.writer.record(entry)
    else this.unrecorded.push(entry)
  }

  /** Whether the run is ready for the next thing to happen. */
  private get ready(): boolean {
    return !this.frozen && this.handle !== undefined && this.exit === undefined && this.hosted.resting()
  }

  /** Whether something may enter that is not in its journal. */
  private get enters(): boolean {
    return (this.live || this.abandoned) && this.ready && this.inbox.ready
  }

  advance(): void {
    if (this.advancing) return
    this.advancing = true
    try {
      do {
        while (this.step()) {}
        if (this.live && !this.of.dry && !this.abandoned) this.writer.beginStored()
        // What has begun may have ended already.
      } while (this.enters || (this.synchronous && this.writer.flush()))
      if (!this.synchronous) this.writer.flushLater()
    } finally {
      this.advancing = false
    }
    this.tell()
  }

  /** Lets the next thing happen, if there is one. */
  private step(): boolean {
    if (!this.ready) return false
    if (!this.live && !this.abandoned) return this.replay()
    const next = this.inbox.next()
    if (next === undefined) return this.abandoned && this.calls.dropAsked()
    if (this.abandoned) next.drop()
    else next.enter()
    return true
  }

  // ---------------------------------------------------------------- a replay

  /** Lets the next entry happen; `false` if the run has not come to it. */
  private replay(): boolean {
    const { history } = this
    const entry = history.next
    if (entry === undefined) {
      this.goLive()
      return true
    }
    const happens = this.happening(entry)
    if (happens === undefined) {
      if (!history.awaits(() => this.advance())) this.diverges(inWords(entry))
      return false
    }
    this.entering = entry
    const number = history.happens()
    try {
      happens(number)
    } catch (error) {
      const what = `${inWords(entry)} with what its schema does not take any more: ${(error as Error).message}`
      this.diverges(what, undefined, number)
    }
    return !this.frozen
  }

  /** What an entry does; `undefined` if the run has not come to it. */
  private happening(entry: Entry): ((number: number) => void) | undefined {
    if ("t" in entry) return () => {}
    if ("z" in entry) return this.timers.take(entry.z)
    if ("m" in entry) return () => this.inbox.take(entry.v as unknown as Message)
    return this.calls.happening(entry)
  }

  private goLive(): void {
    this.live = true
    if (this.of.dry) {
      this.frozen = true
      return
    }
    for (const entry of this.unrecorded) this.writer.record(entry)
    this.unrecorded = []
    this.calls.goLive()
    this.timers.begin()
  }

  private tell(): void {
    if (this.of.dry && !this.told && !this.abandoned && (this.live || this.exit !== undefined)) {
      this.told = true
      this.watcher.rests()
    }
    if (this.told || this.abandoned || !this.writer.done) return
    if (this.exit !== undefined) {
      const missing = this.live ? undefined : this.history.missing
      if (missing !== undefined) {
        this.diverges(missing)
        return
      }
      this.told = true
      this.watcher.ended(this.exit)
    } else if (this.resting) this.watcher.rests()
  }
}
