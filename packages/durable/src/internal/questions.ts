/**
 * The questions of a run's calls, as its journal has them.
 *
 * A question is asked once. When its run is taken up again, it is asked in place of its call, whose function is called only when
 * there is an answer for it, or an event of which it must say whether it is one. The function then asks again from its top, and
 * goes on with what has been asked.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import type { HostedQuestion, QuestionListener } from "stepgraph/host"
import type { Message } from "../Store.ts"
import type { Codec } from "./codec.ts"
import type { Asked, Entry } from "./journal.ts"

/** How long a call that is made again may ask something else than it had asked, in milliseconds. */
export const mostPatience = 10_000

/** A run whose calls ask. */
export interface Asking {
  readonly of: { readonly codec: Codec }
  readonly live: boolean
  readonly abandoned: boolean
  readonly entering: Entry | undefined
  readonly writer: { whenStored(begin: () => void): unknown }
  fork<A, E>(effect: Effect.Effect<A, E>): Fiber<A, E>
}

type Event = HostedQuestion["event"]

/** A question in the run. */
export class DurableQuestion implements QuestionListener {
  /** The number of its entry. */
  readonly number: number
  readonly entry: Asked
  /** The core's own, to go on with. */
  question: HostedQuestion | undefined
  state: "open" | "ended" | "withdrawn" = "open"
  /** Its call may go on with the answer, or the failure. */
  resumed = false
  /** Whether the function has come to it. */
  attached: boolean
  /** It was asked by a call that was repeated, so the function need not come to it again. */
  optional = false
  private readonly run: Asking
  private readonly of: CallQuestions

  constructor(run: Asking, of: CallQuestions, number: number, entry: Asked, attached: boolean) {
    this.run = run
    this.of = of
    this.number = number
    this.entry = entry
    this.attached = attached
  }

  /** Whether the function must come to it before it asks anything else. */
  get missing(): boolean {
    return !this.attached && !this.optional && this.state !== "withdrawn"
  }

  /** Whether only its function can say if an event answers it. */
  wonders(tag: string): boolean {
    const { f, w } = this.entry
    return f === 1 && this.missing && this.state === "open" && w.includes(tag)
  }

  /** In place of its function: whether an event answers it, as its journal says. */
  readonly matches = (event: Event): boolean => {
    const { entering, live, of } = this.run
    const { codec } = of
    if (live) return this.entry.f === undefined && !this.optional
    if (entering !== undefined && "q" in entering) {
      if (entering.x !== undefined) throw Cause.squash(codec.causeFrom(entering.x))
      return entering.a !== undefined && JSON.stringify(codec.event(event)) === JSON.stringify(entering.a)
    }
    if (entering === undefined || !("m" in entering)) return false
    const failed = entering.x?.find(([question]) => question === this.number)
    if (failed !== undefined) throw Cause.squash(codec.causeFrom(failed[1]))
    return entering.a === this.number
  }

  ended(exit: Exit.Exit<Event, unknown> | undefined): void {
    this.state = exit === undefined ? "withdrawn" : "ended"
    const { abandoned, entering, live, of } = this.run
    if (!live || abandoned || exit === undefined || entering === undefined) return
    const failed = Exit.isFailure(exit) && Exit.hasDies(exit) ? of.codec.cause(exit.cause) : undefined
    if ("q" in entering) {
      if (failed !== undefined) entering.x = failed
      else if (Exit.isSuccess(exit)) entering.a = of.codec.event(exit.value)
    } else if ("m" in entering) {
      if (failed !== undefined) entering.x = [...(entering.x ?? []), [this.number, failed]]
      else if (Exit.isSuccess(exit)) entering.a = this.number
    }
  }

  resumes(go: () => void): void {
    this.resumed = true
    const { abandoned, live, writer } = this.run
    if (this.attached && live && !abandoned) {
      // Nobody is to see an answer that a crash could take back.
      writer.whenStored(go)
      return
    }
    go()
    this.of.wake()
  }
}

const textOf = (event: unknown, awaits: ReadonlyArray<string>): string => JSON.stringify([event, awaits])

/** The questions of one call. */
export class CallQuestions {
  private readonly all: Array<DurableQuestion> = []
  /** New questions, which wait until the function has come to all that it had asked before. */
  private held: Array<() => void> = []
  private patience: Fiber<unknown> | undefined
  private readonly run: Asking
  private begin: (() => void) | undefined

  constructor(run: Asking) {
    this.run = run
  }

  add(number: number, entry: Asked, attached: boolean): DurableQuestion {
    const question = new DurableQuestion(this.run, this, number, entry, attached)
    this.all.push(question)
    return question
  }

  /** Calls its function, once there is something for it to do. */
  whenNeeded(begin: () => void): void {
    const missing = this.all.filter(({ missing }) => missing)
    if (missing.length === 0 || missing.some(({ resumed }) => resumed)) begin()
    else this.begin = begin
  }

  /** There is. */
  wake(): void {
    const { begin } = this
    this.begin = undefined
    if (begin !== undefined) this.run.writer.whenStored(begin)
  }

  /** Whether its call does nothing but wait for an answer. */
  get waits(): boolean {
    const open = this.all.filter(({ optional, state }) => state === "open" && !optional)
    return open.length > 0 && (this.begin !== undefined || open.every(({ attached }) => attached))
  }

  /** What the function has asked before. */
  find(event: unknown, awaits: ReadonlyArray<string>): DurableQuestion | undefined {
    const text = textOf(event, awaits)
    const again = this.all.filter(({ attached, state }) => !attached && state !== "withdrawn")
    const found = again.find(({ entry }) => textOf(entry.v, entry.w) === text)
    if (found !== undefined) found.attached = true
    return found
  }

  /**
   * Lets the function ask something new: at once, or after all that it must ask again, for it may ask several things side by side.
   * `never` is called if it does not come to one of them.
   */
  askNew(enter: () => void, never: (instead: DurableQuestion) => void): void {
    if (this.missing === undefined) {
      enter()
      return
    }
    this.held.push(enter)
    this.patience ??= this.run.fork(
      Effect.andThen(
        Effect.sleep(mostPatience),
        Effect.sync(() => never(this.missing!))
      )
    )
  }

  /** The function has come to one that it had asked before. */
  came(): void {
    if (this.missing !== undefined) return
    this.stop()
    for (const enter of this.held.splice(0)) enter()
  }

  /** Its call is over. */
  stop(): void {
    this.patience?.interruptUnsafe()
    this.patience = undefined
  }

  private get missing(): DurableQuestion | undefined {
    return this.all.find(({ missing }) => missing)
  }

  /** Whether its function must be asked if an event is an answer. */
  wonders(tag: string): boolean {
    return this.all.some((question) => question.wonders(tag))
  }

  /** The call is repeated as if it had not been made; but what it asked was asked. */
  repeat(): void {
    for (const question of this.all) {
      question.attached = false
      question.optional = true
    }
  }
}

/** The type of a message, if it may answer a question. */
export const answerIn = (message: Message): string | undefined =>
  message._tag === "event" ? (message.event as { readonly _tag: string })._tag : undefined
