/**
 * What the calls of a run do before their end: when they are made, what they ask, and what they stream.
 *
 * Fed to another run, all of that enters in place of a call, which is not made if its end is fed, too.
 */
import * as Effect from "effect/Effect"
import type { Body, Call, Entering, HostedQuestion } from "stepgraph/host"
import { type Activation, keyOf, type Next, nameOf } from "./activation.ts"
import { type Asked, type Asking, CallQuestions } from "./questions.ts"

/** The journal of the run. */
interface Ordering extends Asking {
  expects(key: string): boolean
  offer(next: Next): void
  pump(): void
}

type Event = HostedQuestion["event"]

/** A call in a run that is fed: what it asked and streamed before its end enters in its place. */
interface Placed {
  readonly body: Body
  /** It has done all that it did before its end. */
  readonly end: () => void
}

export class JournalCalls {
  /** The calls that have asked or streamed, in what is to be fed. */
  private readonly speaking: ReadonlySet<string>
  private readonly placed = new Map<string, Placed>()
  private readonly questions = new Map<string, CallQuestions>()
  /** How much each call has asked and streamed. */
  private readonly numbers = new Map<string, number>()
  /** The calls to make once all has been fed. */
  private readonly gates = new Set<() => void>()
  private readonly journal: Ordering

  constructor(journal: Ordering, given: ReadonlyArray<Activation>) {
    this.journal = journal
    this.speaking = new Set(given.flatMap(({ call }) => call ?? []))
  }

  /** Whether a call has done something before its end that is to be fed, so it had its turn. */
  hasBegun(call: Call): boolean {
    return this.journal.replays && this.speaking.has(nameOf(call))
  }

  /**
   * A call is to be made with `begin`: at once, when the journal has been fed, or when there is an answer for it; never if its
   * end is to be fed.
   */
  perform(call: Call, body: Body, begin: () => unknown): unknown {
    const name = nameOf(call)
    if (this.journal.expects(keyOf(call))) return this.speaking.has(name) ? this.waitInPlace(name, body) : undefined
    if (!this.journal.replays) return begin()
    this.placed.set(name, { body, end: () => {} })
    const begun = Effect.callback<void>((resume) => {
      const go = () => resume(Effect.void)
      const open = () => {
        const questions = this.questions.get(name)
        if (questions === undefined) go()
        else questions.whenNeeded(go)
      }
      if (!this.journal.replays) open()
      else this.gates.add(open)
      return Effect.sync(() => void this.gates.delete(open))
    })
    return Effect.map(begun, begin)
  }

  private waitInPlace(name: string, body: Body): Effect.Effect<void> {
    let over = false
    let resume: (() => void) | undefined
    const end = () => {
      over = true
      resume?.()
    }
    this.placed.set(name, { body, end })
    return Effect.callback<void>((go) => {
      resume = () => go(Effect.void)
      if (over) resume()
    })
  }

  /** A call asks something. Returns the question if it has asked the same before. */
  ask(call: Call, question: HostedQuestion, entering: Entering): HostedQuestion | undefined {
    const name = nameOf(call)
    const known = this.questions.get(name)
    const found = known?.find(question)
    if (found !== undefined) {
      found.attached = question
      // A message may have waited for it.
      this.journal.pump()
      return found.question
    }
    const questions = known ?? new CallQuestions(this.journal)
    this.questions.set(name, questions)
    const key = `asked ${name} ${this.number(name)}`
    const { awaits, event, matches } = question
    const asked: Asked = { event, awaits, picks: matches !== undefined }
    const enter = () => {
      if (!entering.wanted()) return false
      const added = questions.add(key, asked, question)
      added.question = question
      entering.enter(added)
      return true
    }
    this.journal.offer({ key, call: name, asked, enter, waits: () => questions.missing !== undefined })
    return undefined
  }

  private number(name: string): number {
    const number = this.numbers.get(name) ?? 0
    this.numbers.set(name, number + 1)
    return number
  }

  /** A call lets an event out before its end. */
  stream(call: Call, event: Event, entering: Entering): void {
    const name = nameOf(call)
    const enter = () => {
      if (!entering.wanted()) return false
      entering.enter()
      return true
    }
    this.journal.offer({ key: `streamed ${name} ${this.number(name)}`, call: name, streamed: event, enter })
  }

  /** A call is repeated, and what it asked stays: that is an activation, if it asked something. */
  repeat(name: string): Activation | undefined {
    const questions = this.questions.get(name)
    if (questions === undefined) return undefined
    questions.repeat()
    return { key: `repeated ${name}`, call: name }
  }

  /** A call is over. */
  forget(name: string): void {
    this.questions.delete(name)
    this.placed.delete(name)
  }

  /** Whether it is known which question a message answers; otherwise the calls are made that can say so. */
  knows(tag: string): boolean {
    let known = true
    for (const questions of this.questions.values()) {
      if (!questions.wonders(tag)) continue
      known = false
      questions.wake()
    }
    return known
  }

  /** What a call did before its end, in its place; `undefined` if the run has not come to that call. */
  inPlace({ asked, call, key, streamed }: Activation): Next | undefined {
    const placed = this.placed.get(call!)
    if (placed === undefined) return undefined
    const number = Number(key.slice(key.lastIndexOf(" ")))
    if (asked !== undefined || streamed !== undefined) this.numbers.set(call!, number + 1)
    const enter = () => {
      if (asked !== undefined) this.askAgain(call!, placed.body, key, asked)
      else if (streamed !== undefined) placed.body.stream({ ...streamed })
      else this.questions.get(call!)?.repeat()
      return true
    }
    return { key, enter }
  }

  private askAgain(name: string, body: Body, key: string, asked: Asked): void {
    const questions = this.questions.get(name) ?? new CallQuestions(this.journal)
    this.questions.set(name, questions)
    const again = questions.add(key, asked, undefined)
    again.question = body.ask({ event: { ...asked.event }, awaits: asked.awaits, matches: again.matches }, again)
  }

  /** A call has done all that it did before its end. */
  end(name: string): void {
    this.placed.get(name)?.end()
  }

  /** All has been fed. */
  goLive(): void {
    this.placed.clear()
    const gates = [...this.gates]
    this.gates.clear()
    for (const open of gates) open()
  }

  /** A call that is made again asks something else than before: what, and what it asked before. */
  another(
    queue: ReadonlyArray<Next>
  ): { readonly call: string; readonly before: Event; readonly now: Event } | undefined {
    for (const { asked, call, waits } of queue) {
      if (asked === undefined || waits?.() !== true) continue
      const before = this.questions.get(call!)!.missing!.asked.event
      return { call: call!, before, now: asked.event }
    }
    return undefined
  }
}
