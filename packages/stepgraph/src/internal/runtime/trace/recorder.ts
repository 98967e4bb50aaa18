/**
 * Creates the entries of a run's trace, only if the run is observed.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import { isPromiseLike } from "effect/Predicate"
import type { AnyDef, AnyEvent } from "../../../Event.ts"
import { nameAndMessage } from "../../../Show.ts"
import {
  CurrentInvocation,
  type EventDropped,
  type Observer,
  type QuestionEnded,
  type TraceEntry
} from "../../../Trace.ts"
import type { Node } from "../../graph/graph.ts"
import type { Delivery } from "../scope/delivery.ts"
import { dataOf } from "./data.ts"
import type { Telemetry } from "./telemetry.ts"

type Reason = (typeof EventDropped.Type)["reason"]
type WithoutCommon<Entry> = Entry extends TraceEntry ? Omit<Entry, "run" | "seq" | "at"> : never

/** A question of an invocation. */
interface Asked {
  readonly on: Delivery & { readonly attempts: number }
  readonly number: number
  readonly id: string | undefined
  readonly awaits: ReadonlyArray<string>
}

export class Recorder {
  private readonly run: string
  private readonly observer: Observer | undefined
  readonly telemetry: Telemetry | undefined
  readonly now: () => number
  /** Whether an observer is being called now, in the middle of the run's work. */
  observing = false
  private seq = 0
  private incomplete = false
  private readonly failed: (error: unknown) => void

  /** `failed` is called the first time an entry cannot be made; the run continues without it. */
  constructor(
    run: string,
    observer: Observer | undefined,
    telemetry: Telemetry | undefined,
    now: () => number,
    failed: (error: unknown) => void
  ) {
    this.run = run
    this.observer = observer
    this.telemetry = telemetry
    this.now = now
    this.failed = failed
  }

  /** Observing must not change the run: no exception from here reaches it. */
  record(make: () => WithoutCommon<TraceEntry>, at?: number, exit?: Exit.Exit<unknown, unknown>): void {
    try {
      const { _tag, ...rest } = make()
      const made = Object.freeze({ _tag, run: this.run, seq: this.seq++, at: at ?? this.now(), ...rest }) as TraceEntry
      this.notify(made, exit)
    } catch (error) {
      if (!this.incomplete) this.failed(error)
      this.incomplete = true
    }
  }

  private notify(entry: TraceEntry, exit: Exit.Exit<unknown, unknown> | undefined): void {
    try {
      this.telemetry?.observe(entry, exit)
    } catch {}
    const { observing } = this
    this.observing = true
    try {
      const returned: unknown = this.observer?.(entry)
      // An `async` observer may reject later, which must not end the program.
      if (isPromiseLike(returned)) returned.then(undefined, () => {})
    } catch {
    } finally {
      this.observing = observing
    }
  }

  began(workflow: string, context: Context.Context<never>): void {
    this.record(() => ({ _tag: "RunStarted", workflow, parent: Context.get(context, CurrentInvocation) }))
  }

  /**
   * An event is on its way to a step. Hot without an observer: a closure at the call site would force its variables
   * into a separate object, even if it is never created.
   */
  delivered(event: string, { name }: Node): void {
    this.record(() => ({ _tag: "EventDelivered", event, step: name }))
  }

  /** `cause` is the invocation it came from, `null` for what comes from outside. */
  emitted(event: string, def: AnyDef, value: AnyEvent, cause: string | null, attempt: number | undefined): void {
    this.record(() => ({
      _tag: "EventEmitted",
      event,
      tag: def.tag,
      cause,
      ...(attempt === undefined ? undefined : { attempt }),
      data: this.observer === undefined ? {} : dataOf(def, value)
    }))
  }

  /** An intake has made its step runnable. */
  fired({ node, id, events }: Delivery): void {
    this.record(() => ({ _tag: "IntakeFired", step: node.name, invocation: id!, events: events! }))
  }

  started(attempt: number, { node, id, events, scope }: Delivery): void {
    this.record(() => ({
      _tag: "InvocationStarted",
      invocation: id!,
      step: node.name,
      events: events!,
      attempt,
      scope: scope.opener?.id ?? null
    }))
  }

  ended(attempt: number, { node, id }: Delivery, exit: Exit.Exit<unknown, unknown>, interrupted: boolean): void {
    const make = () => {
      const failure = Exit.isFailure(exit) ? exit.cause : undefined
      const outcome =
        failure === undefined
          ? "succeeded"
          : Cause.hasInterruptsOnly(failure) ||
              (interrupted && Cause.hasInterrupts(failure) && !Cause.hasFails(failure))
            ? "interrupted"
            : "failed"
      const error = outcome === "failed" ? words(failure!) : null
      return { _tag: "InvocationEnded", invocation: id!, step: node.name, attempt, outcome, error } as const
    }
    this.record(make, undefined, exit)
  }

  /** A failed attempt is being retried. */
  retried(attempt: number, { node, id }: Delivery, cause: Cause.Cause<unknown>, at: number): void {
    const ended = {
      _tag: "InvocationEnded",
      invocation: id!,
      step: node.name,
      attempt,
      outcome: "retried"
    } as const
    this.record(() => ({ ...ended, error: words(cause) }), at)
  }

  paused({ node, id }: Delivery): void {
    this.record(() => ({ _tag: "InvocationPaused", invocation: id!, step: node.name }))
  }

  resumed({ node, id }: Delivery): void {
    this.record(() => ({ _tag: "InvocationResumed", invocation: id!, step: node.name }))
  }

  asked({ on, number, id, awaits }: Asked): void {
    const { attempts, id: invocation, node } = on
    const from = { invocation: invocation!, step: node.name, attempt: attempts }
    this.record(() => ({ _tag: "QuestionAsked", ...from, question: number, event: id!, awaits }))
  }

  answered({ on, number }: Asked, outcome: (typeof QuestionEnded.Type)["outcome"], answer: string | null): void {
    const { id: invocation, node } = on
    this.record(() => ({
      _tag: "QuestionEnded",
      invocation: invocation!,
      step: node.name,
      question: number,
      outcome,
      answer
    }))
  }

  limitReached(attempt: number, on: Delivery, limit: string, key: unknown): void {
    this.record(() => ({ _tag: "LimitReached", ...limited(attempt, on, limit, key) }))
  }

  limitPassed(attempt: number, on: Delivery, limit: string, key: unknown): void {
    this.record(() => ({ _tag: "LimitPassed", ...limited(attempt, on, limit, key) }))
  }

  finalizerFailed({ node, id }: Delivery, cause: Cause.Cause<unknown>): void {
    this.record(() => ({ _tag: "FinalizerFailed", invocation: id!, step: node.name, error: words(cause) }))
  }

  /** A delivery, or an event of an intake, will never be used. */
  dropped(
    { node, events }: { readonly node: Node; readonly events: ReadonlyArray<string> | undefined },
    reason: Reason
  ): void {
    for (const event of events!) this.record(() => ({ _tag: "EventDropped", event, step: node.name, reason }))
  }

  /** An event came too late to be delivered. */
  droppedAtOnce(event: string, reason: Reason): void {
    this.record(() => ({ _tag: "EventDropped", event, step: null, reason }))
  }

  finished(exit: Exit.Exit<AnyEvent, unknown>, event: string | undefined): void {
    const make = () => {
      const cause = Exit.isFailure(exit) ? exit.cause : undefined
      const outcome = cause === undefined ? "stopped" : Cause.hasInterruptsOnly(cause) ? "interrupted" : "failed"
      const error = outcome === "failed" ? words(cause!) : null
      return { _tag: "RunFinished", outcome, event: event ?? null, error } as const
    }
    this.record(make, undefined, exit)
  }
}

const limited = (attempt: number, { node, id }: Delivery, limit: string, key: unknown) => ({
  invocation: id!,
  step: node.name,
  attempt,
  limit,
  key: key === undefined ? null : String(key)
})

/** The first error of a cause as text. */
const words = (cause: Cause.Cause<unknown>): string => {
  try {
    return nameAndMessage(Cause.squash(cause))
  } catch {
    return "an error that has no words"
  }
}
