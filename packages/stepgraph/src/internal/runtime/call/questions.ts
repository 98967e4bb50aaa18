/**
 * The questions that steps ask with `ctx.ask`, and the answers, which come from outside the run.
 *
 * An invocation gives up its worker while one of its questions is open. When the last of them is answered, it waits first in
 * its step's lane for a worker, and then continues.
 *
 * Longer than other modules: a question, its answer and the worker that it frees are one state machine.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isPromiseLike } from "effect/Predicate"
import { NoAnswer } from "../../../Errors.ts"
import type { AnyEvent } from "../../../Event.ts"
import type { QuestionListener } from "../../../Host.ts"
import { unread } from "../../../Unread.ts"
import type { OpenQuestion } from "../../../Waiting.ts"
import type { Lane } from "../flow/lane.ts"
import type { Loop } from "../flow/loop.ts"
import type { Ready } from "../flow/ready.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Recorder } from "../trace/recorder.ts"

/** The run that the questions belong to. */
export interface Asked {
  readonly workflow: string
  readonly recorder: Recorder | undefined
  readonly lanes: ReadonlyArray<Lane>
  readonly ready: Ready
  readonly loop: Loop
}

/** An invocation that asks. */
export interface Asker extends Delivery {
  readonly attempts: number
}

/** Receives an answer. */
export interface Waiter {
  /** Receives the answer, or the failure. */
  settle(exit: Exit.Exit<AnyEvent, unknown>): void
  /** The attempt that asked is over. */
  drop(reason: unknown): void
}

export class Question {
  readonly on: Asker
  readonly event: AnyEvent
  readonly awaits: ReadonlyArray<string>
  matches: ((event: AnyEvent) => unknown) | undefined
  /** Without one, it was asked in place of a function that is yet to be called. */
  private waiter: Waiter | undefined
  /** Its number within its invocation, and the id of its event, if ids are needed. */
  number = 0
  id: string | undefined
  listener: QuestionListener | undefined
  open = false
  withdrawn = false
  private exit: Exit.Exit<AnyEvent, unknown> | undefined

  constructor(
    on: Asker,
    event: AnyEvent,
    awaits: ReadonlyArray<string>,
    matches: Question["matches"],
    waiter: Waiter | undefined
  ) {
    this.on = on
    this.event = event
    this.awaits = awaits
    this.matches = matches
    this.waiter = waiter
  }

  /** The function has come to it, and goes on from here. */
  attach(matches: Question["matches"], waiter: Waiter): void {
    this.matches = matches
    this.waiter = waiter
    if (this.exit !== undefined) waiter.settle(this.exit)
  }

  /** Its call goes on with the answer, or the failure; a host may delay that. */
  settle(exit: Exit.Exit<AnyEvent, unknown>): void {
    const go = () => {
      this.exit = exit
      this.waiter?.settle(exit)
    }
    if (this.listener === undefined) go()
    else this.listener.resumes(go)
  }

  drop(reason: unknown): void {
    this.waiter?.drop(reason)
  }

  /** The event as its answer, or the defect if its `matches` throws; undefined if the event does not answer it. */
  takes(event: AnyEvent): Exit.Exit<AnyEvent, unknown> | undefined {
    if (!this.awaits.includes(event._tag)) return undefined
    try {
      const matched = this.matches === undefined || this.matches(event)
      // A promise is true whatever it will say, and would take any answer.
      if (isPromiseLike(matched)) throw refused(matched)
      return matched ? Exit.succeed(event) : undefined
    } catch (error) {
      return Exit.die(error)
    }
  }
}

const refused = (matched: PromiseLike<unknown>): TypeError => {
  unread(matched)
  return new TypeError("the function of ctx.ask that matches an answer must return true or false, not a promise")
}

/** A place in a lane for an answered invocation: the one that has waited longest takes it. */
class Ticket implements Delivery {
  readonly node
  readonly scope
  readonly input = undefined
  readonly id = undefined
  readonly events: ReadonlyArray<string> = []
  readonly underWay = false
  cancelled = false
  readonly start: () => void

  constructor({ node, scope }: Asker, start: () => void) {
    this.node = node
    this.scope = scope
    this.start = start
  }

  name(): void {}
  cancel(): void {}
}

/** An invocation without a worker. */
interface Away {
  readonly on: Asker
  /** Number of its open questions. */
  open: number
  /** The continuations to call once it has a worker. */
  next: Array<() => void>
}

/** The answered invocations that wait for a worker of one step, and as many tickets; the last ticket is first in the lane. */
interface Returning {
  readonly away: Array<Away>
  readonly tickets: Array<Ticket>
}

/** An answer that came before its question. */
interface Early {
  readonly event: AnyEvent
  readonly id: string | undefined
  /** Whether a step accepts it too, so that it is used even if no question comes. */
  readonly accepted: boolean
}

/** Maximum number of unanswered questions in the error of a stalled run. */
const mostUnanswered = 5

export class Questions {
  private readonly run: Asked
  /** In the order in which they were asked. */
  private readonly open = new Set<Question>()
  private readonly away = new Map<Asker, Away>()
  private readonly returning = new Map<Lane, Returning>()
  private readonly early: Array<Early> = []
  private readonly unanswered: Array<OpenQuestion> = []
  private closed = true
  private sendable = false

  constructor(run: Asked) {
    this.run = run
  }

  // ---------------------------------------------------------------- answers

  openInputs(): void {
    this.closed = false
    this.sendable = true
  }

  /** An event has come from outside: it answers the first matching question, or is kept. */
  answer(event: AnyEvent, id: string | undefined, accepted: boolean): void {
    for (const question of this.open) {
      const exit = question.takes(event)
      if (exit === undefined || !question.open) continue
      if (Exit.isSuccess(exit)) {
        this.settle(question, exit, id)
        return
      }
      this.settle(question, exit, undefined)
    }
    this.early.push({ event, id, accepted })
  }

  /** No answer can come any more. */
  closeInputs(): void {
    this.closed = true
    // All end before any call goes on, or a call that gives up at the first would withdraw the others.
    const ended = [...this.open].map((question) => this.endWith(question, this.noAnswer(question), undefined))
    for (const goOn of ended) goOn()
  }

  private noAnswer({ on, event, awaits }: Question): Exit.Exit<never, unknown> {
    if (this.unanswered.push({ step: on.node.name, question: event, awaits }) > mostUnanswered) this.unanswered.shift()
    const { workflow } = this.run
    const { sendable } = this
    return Exit.fail(new NoAnswer({ workflow, step: on.node.name, input: on.input, question: event, awaits, sendable }))
  }

  // ---------------------------------------------------------------- questions

  /** A question has been emitted: an early answer settles it, or it waits without a worker. */
  ask(question: Question): void {
    this.run.recorder?.asked(question)
    for (let at = 0; at < this.early.length; at++) {
      const { event, id } = this.early[at]!
      const exit = question.takes(event)
      if (exit === undefined) continue
      if (Exit.isSuccess(exit)) this.early.splice(at, 1)
      this.end(question, exit, id)
      question.settle(exit)
      return
    }
    if (this.closed) {
      const exit = this.noAnswer(question)
      this.end(question, exit, undefined)
      question.settle(exit)
      return
    }
    question.open = true
    this.open.add(question)
    this.leave(question.on)
  }

  private settle(question: Question, exit: Exit.Exit<AnyEvent, unknown>, id: string | undefined): void {
    this.endWith(question, exit, id)()
  }

  /** Ends a question; its call goes on when the returned function is called. */
  private endWith(question: Question, exit: Exit.Exit<AnyEvent, unknown>, id: string | undefined): () => void {
    this.end(question, exit, id)
    const away = this.away.get(question.on)!
    away.open--
    return () => this.comeBack(away, () => question.settle(exit))
  }

  private end(question: Question, exit: Exit.Exit<AnyEvent, unknown> | undefined, id: string | undefined): void {
    question.open = false
    this.open.delete(question)
    const outcome =
      exit === undefined ? "interrupted" : Exit.isSuccess(exit) ? "answered" : Exit.hasDies(exit) ? "failed" : "closed"
    this.run.recorder?.answered(question, outcome, outcome === "answered" ? id! : null)
    question.listener?.ended(exit)
  }

  /** The answer is no longer awaited. */
  withdraw(question: Question): void {
    question.withdrawn = true
    if (!question.open) return
    this.end(question, undefined, undefined)
    this.away.get(question.on)!.open--
  }

  // ---------------------------------------------------------------- workers

  /** Frees the worker of an invocation. */
  private leave(on: Asker): void {
    const away = this.away.get(on)
    if (away === undefined) {
      this.away.set(on, { on, open: 1, next: [] })
      const lane = this.laneOf(on)
      lane.busy--
      this.run.recorder?.paused(on)
      this.wake(lane)
      return
    }
    away.open++
    // It waits for an answer again, so it needs no worker to continue.
    for (const go of this.takeBack(away)) go()
  }

  /** Lets an invocation continue: with a worker, unless another of its questions is open. */
  private comeBack(away: Away, go: () => void): void {
    if (away.open > 0) {
      go()
      return
    }
    if (away.next.push(go) > 1) return
    const lane = this.laneOf(away.on)
    let returning = this.returning.get(lane)
    if (returning === undefined) {
      returning = { away: [], tickets: [] }
      this.returning.set(lane, returning)
    }
    returning.away.push(away)
    const ticket = new Ticket(away.on, () => this.goOn(lane))
    returning.tickets.push(ticket)
    lane.pushFirst(ticket)
    this.wake(lane)
  }

  /** A worker is free for the invocation that has waited longest. */
  private goOn(lane: Lane): void {
    const { away, tickets } = this.returning.get(lane)!
    tickets.pop()
    const { next, on } = away.shift()!
    this.away.delete(on)
    this.run.recorder?.resumed(on)
    for (const go of next) go()
  }

  /** Stops waiting for a worker, and returns the pending continuations. */
  private takeBack(away: Away): ReadonlyArray<() => void> {
    const { next, on } = away
    if (next.length === 0) return next
    away.next = []
    const lane = this.laneOf(on)
    const returning = this.returning.get(lane)!
    returning.away.splice(returning.away.indexOf(away), 1)
    returning.tickets.pop()!.cancelled = true
    lane.waiting--
    return next
  }

  private laneOf({ node }: Asker): Lane {
    return this.run.lanes[node.index]!
  }

  private wake(lane: Lane): void {
    this.run.ready.add(lane)
    this.run.loop.wake()
  }

  /** Waits until an invocation has a worker. */
  worker(on: Asker): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const away = this.away.get(on)
      if (away === undefined) resume(Effect.void)
      else this.comeBack(away, () => resume(Effect.void))
    })
  }

  /** An attempt was interrupted: its remaining code needs no worker. */
  abandon(on: Asker): void {
    const away = this.away.get(on)
    if (away !== undefined) for (const go of this.takeBack(away)) go()
  }

  /** An invocation has ended. `busy` counts its worker again if it had none, since the caller will free it. */
  ended(on: Asker): void {
    const away = this.away.get(on)
    if (away === undefined) return
    this.away.delete(on)
    this.takeBack(away)
    this.laneOf(on).busy++
  }

  // ---------------------------------------------------------------- how it stands

  get waiting(): ReadonlyArray<OpenQuestion> {
    return [...this.open].map(({ on, event, awaits }) => ({ step: on.node.name, question: event, awaits }))
  }

  /** The last questions still unanswered when the inputs were closed. */
  get lost(): ReadonlyArray<OpenQuestion> {
    return this.unanswered
  }

  /** The unused answers, with the ids of their events if ids are needed. */
  get left(): ReadonlyArray<{ readonly tag: string; readonly id: string | undefined }> {
    return this.early.flatMap(({ event: { _tag: tag }, id, accepted }) => (accepted ? [] : [{ tag, id }]))
  }
}
