/**
 * The questions of a run's calls, as its journal has them.
 *
 * A question is asked once. Fed to another run, it is asked in place of its call, whose function is called only when there is an
 * answer for it, or an event of which it must say whether it is one. The function then asks again from its top, and goes on with
 * what has been asked.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { HostedQuestion, QuestionListener } from "stepgraph/host"
import { identify } from "./show.ts"

type Event = HostedQuestion["event"]

/** A question, in a journal. */
export interface Asked {
  readonly event: Event
  readonly awaits: ReadonlyArray<string>
  /** Whether only the function can say which events of these types answer it. */
  readonly picks: boolean
}

/** The journal of the run. */
export interface Asking {
  readonly replays: boolean
  /** The activation that enters, in which is noted which questions end with it. */
  readonly entering: { ended?: Map<string, Exit.Exit<Event, unknown>> } | undefined
}

const same = (one: unknown, other: unknown): boolean => identify(one) === identify(other)

export class JournalQuestion implements QuestionListener {
  readonly key: string
  readonly asked: Asked
  /** The core's own, to go on with. */
  question: HostedQuestion | undefined
  state: "open" | "ended" | "withdrawn" = "open"
  /** Its call may go on with the answer, or the failure. */
  resumed = false
  /** Whether the function has come to it, and which events answer it then. */
  attached: Pick<HostedQuestion, "matches"> | undefined
  /** It was asked by a call that was repeated, so the function need not come to it again. */
  optional = false
  private readonly journal: Asking
  private readonly of: CallQuestions

  constructor(journal: Asking, of: CallQuestions, key: string, asked: Asked, attached: JournalQuestion["attached"]) {
    this.journal = journal
    this.of = of
    this.key = key
    this.asked = asked
    this.attached = attached
  }

  /** Whether the function must come to it before it asks anything else. */
  get missing(): boolean {
    return this.attached === undefined && !this.optional && this.state !== "withdrawn"
  }

  /** Whether only its function can say if an event answers it. */
  wonders(tag: string): boolean {
    const { awaits, picks } = this.asked
    return picks && this.missing && this.state === "open" && awaits.includes(tag)
  }

  /** In place of the function: whether an event answers it. */
  readonly matches = (event: Event): unknown => {
    const { entering, replays } = this.journal
    if (!replays) {
      const { attached } = this
      if (attached === undefined) return !this.asked.picks && !this.optional
      return attached.matches === undefined || attached.matches(event)
    }
    const exit = entering?.ended?.get(this.key)
    if (exit === undefined) return false
    if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
    return same(event, exit.value)
  }

  ended(exit: Exit.Exit<Event, unknown> | undefined): void {
    this.state = exit === undefined ? "withdrawn" : "ended"
    const { entering, replays } = this.journal
    if (replays || exit === undefined || entering === undefined) return
    // That its inputs were closed is known again.
    if (Exit.isFailure(exit) && !Exit.hasDies(exit)) return
    entering.ended ??= new Map()
    entering.ended.set(this.key, exit)
  }

  resumes(go: () => void): void {
    this.resumed = true
    go()
    this.of.wake()
  }
}

/** The questions of one call. */
export class CallQuestions {
  private readonly all: Array<JournalQuestion> = []
  private readonly journal: Asking
  private begin: (() => void) | undefined

  constructor(journal: Asking) {
    this.journal = journal
  }

  add(key: string, asked: Asked, attached: JournalQuestion["attached"]): JournalQuestion {
    const question = new JournalQuestion(this.journal, this, key, asked, attached)
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
    begin?.()
  }

  /** What the function has asked before. */
  find({ awaits, event }: HostedQuestion): JournalQuestion | undefined {
    return this.all.find(
      ({ asked, attached, state }) =>
        attached === undefined && state !== "withdrawn" && same([asked.event, asked.awaits], [event, awaits])
    )
  }

  /** What the function must ask before anything else. */
  get missing(): JournalQuestion | undefined {
    return this.all.find(({ missing }) => missing)
  }

  /** Whether its function must be asked if an event is an answer. */
  wonders(tag: string): boolean {
    return this.all.some((question) => question.wonders(tag))
  }

  /** The call is repeated as if it had not been made; but what it asked was asked. */
  repeat(): void {
    for (const question of this.all) {
      question.attached = undefined
      question.optional = true
    }
  }
}
