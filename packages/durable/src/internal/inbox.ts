/**
 * What is to enter a live run, in the order in which it came: one thing at a time.
 */
import * as Effect from "effect/Effect"
import type { Json, Message, StoredMessage } from "../Store.ts"
import type { Codec } from "./codec.ts"
import type { Handle } from "./driven.ts"
import type { History } from "./history.ts"
import type { MessageTaken } from "./journal.ts"

/** What may happen next. */
export interface Next {
  /** What it takes from outside, if it does. */
  readonly message?: Message
  enter(): void
  /** Instead of `enter`, where the run has been given up. */
  drop(): void
}

/** The run that it enters. */
interface Entered {
  readonly of: { readonly codec: Codec }
  readonly history: History
  readonly handle: Handle | undefined
  readonly abandoned: boolean
  record(entry: MessageTaken): unknown
  fork<A, E>(effect: Effect.Effect<A, E>): unknown
}

/** Says whether it is known which question a message answers. */
interface Knowing {
  knows(message: Message): boolean
}

export class Inbox {
  /** Number of the last message that it has been given. */
  seen: number
  private readonly run: Entered
  private readonly calls: Knowing
  private readonly queue: Array<Next> = []

  constructor(run: Entered, calls: Knowing) {
    this.run = run
    this.calls = calls
    this.seen = run.history.messages
  }

  get empty(): boolean {
    return this.queue.length === 0
  }

  add(next: Next): void {
    this.queue.push(next)
  }

  receive(messages: ReadonlyArray<StoredMessage>): void {
    for (const { message, number } of messages) {
      if (number !== this.seen + 1) continue
      this.seen = number
      const enter = () => {
        this.run.record({ m: number, v: message as unknown as Json })
        this.take(message)
      }
      this.add({ message, enter, drop: () => {} })
    }
  }

  /** Gives a message to the run. */
  take(message: Message): void {
    const { handle, of } = this.run
    const effect =
      message._tag === "event"
        ? Effect.suspend(() => handle!.send(of.codec.eventFrom(message.event)))
        : message._tag === "close"
          ? handle!.closeInputs
          : handle!.interrupt
    // It may come too late, which is no fault of the run.
    this.run.fork(Effect.ignore(effect))
  }

  /** Whether something may enter. */
  get ready(): boolean {
    return this.place >= 0
  }

  next(): Next | undefined {
    const { place } = this
    return place < 0 ? undefined : this.queue.splice(place, 1)[0]
  }

  /**
   * The place of what may enter next. A message waits for the calls that must say whether it answers them, and others wait
   * behind it, in their order.
   */
  private get place(): number {
    let waits = false
    return this.queue.findIndex(({ message }) => {
      if (message === undefined) return true
      waits ||= !this.run.abandoned && !this.calls.knows(message)
      return !waits
    })
  }
}
