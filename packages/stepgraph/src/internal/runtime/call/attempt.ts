/**
 * The `ctx` of a step's function, one per attempt. An attempt that is over cannot affect the run.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { NodeInspectSymbol } from "effect/Inspectable"
import { StepEnded } from "../../../Errors.ts"
import type { AnyDef, AnyEvent, Defs } from "../../../Event.ts"
import type { State } from "../../../State.ts"
import type { Asking, StepContext } from "../../../Step.ts"
import { unread } from "../../../Unread.ts"
import type { Node } from "../../graph/graph.ts"
import type { Taken } from "../../graph/taken.ts"
import { stepEnded } from "../flow/reasons.ts"
import type { Scope } from "../scope/scope.ts"
import { answersOf, asking } from "./asking.ts"
import type { Outbox } from "./outbox.ts"
import type { Question, Waiter } from "./questions.ts"

/** The invocation of an attempt. */
export interface Caller {
  readonly node: Node
  readonly scope: Scope
  readonly run: {
    readonly id: string
    readonly workflow: string
  }
  send(event: unknown): void
  /** Asks a question, and passes it to `keep`. */
  ask(event: unknown, awaits: ReadonlyArray<string>, matches: Question["matches"], waiter: Waiter): Question
  /** The answer to a question is no longer awaited. The step's code continues once the returned Effect is done. */
  withdraw(question: Question): Effect.Effect<void>
  /** Drops the questions of an attempt that is over. */
  dropQuestions(questions: Iterable<Question>, reason: unknown): void
  /** Records an event that is dropped because its attempt is over. */
  sendLate(event: unknown): void
  readonly outbox: Outbox
}

/** The owner of an attempt, which is created on demand. */
export interface Attempted {
  readonly current: Attempt
}

export class Attempt implements Attempted {
  /** 1 at first, plus 1 for each retry. */
  readonly number: number
  /** Whether `recover` is called, rather than `run`. */
  readonly recovers: boolean
  /** Whether it has emitted anything. */
  emitted = false
  readonly #caller: Caller
  /** Whether it has completed or failed by itself. */
  #ended = false
  /** The reason for its end from outside. */
  #reason: (() => unknown) | undefined
  #controller: AbortController | undefined
  /** Its questions, open or not. */
  #questions: Set<Question> | undefined

  constructor(caller: Caller, number: number, recovers = false) {
    this.#caller = caller
    this.number = number
    this.recovers = recovers
  }

  // The functions are created on demand: `({ send }) => …` works, and most steps pay for none of them.
  get send() {
    return (event: unknown): void => {
      const caller = this.#caller
      if (this.over) unread(event)
      if (this.#reason !== undefined) {
        caller.sendLate(event)
        return
      }
      if (this.#ended) throw new StepEnded({ workflow: caller.run.workflow, step: caller.node.name, event })
      try {
        caller.send(event)
      } catch (error) {
        unread(event)
        caller.outbox.fail(Cause.die(error))
        throw error
      }
    }
  }

  get ask() {
    return (question: unknown, answers: AnyDef | Defs, matches?: Question["matches"]): Asking<AnyEvent> => {
      const awaits = answersOf(this.#caller.node, answers, matches)
      return asking((waiter) => this.askFor(question, awaits, matches, waiter))
    }
  }

  private askFor(
    event: unknown,
    awaits: ReadonlyArray<string>,
    matches: Question["matches"],
    waiter: Waiter
  ): Effect.Effect<void> {
    const caller = this.#caller
    if (this.#reason !== undefined) {
      waiter.drop(this.why())
      return Effect.void
    }
    if (this.#ended) throw new StepEnded({ workflow: caller.run.workflow, step: caller.node.name, event })
    try {
      const question = caller.ask(event, awaits, matches, waiter)
      return Effect.suspend(() => (this.over ? Effect.void : caller.withdraw(question)))
    } catch (error) {
      unread(event)
      caller.outbox.fail(Cause.die(error))
      throw error
    }
  }

  /** Drops a question when it is over, or at once: the question's event may end the run, or decide a race. */
  keep(question: Question): void {
    if (this.over) {
      this.#caller.dropQuestions([question], this.why())
      return
    }
    this.#questions ??= new Set()
    this.#questions.add(question)
  }

  get collect() {
    return (defs: Defs) => (this.over ? undefined : this.#caller.outbox.collect(defs))
  }

  get get() {
    return <S>(state: State<S>): S => this.#caller.outbox.get(state)
  }

  get set() {
    return <S>(state: State<S>, value: S): void => {
      if (!this.over) this.#caller.outbox.set(state, value)
    }
  }

  get update() {
    return <S>(state: State<S>, change: (value: S) => S): S => {
      const cells = this.#caller.outbox
      const before = cells.get(state)
      if (this.over) return before
      const value = change(before)
      cells.set(state, value)
      return value
    }
  }

  get per(): AnyEvent | undefined {
    const { node, scope } = this.#caller
    return scope.owners[node.per]?.opener?.event
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.over) this.#controller.abort(this.why())
    }
    return this.#controller.signal
  }

  get attempt(): number {
    return this.number
  }

  get runId(): string {
    return this.#caller.run.id
  }

  get step(): string {
    return this.#caller.node.name
  }

  get current(): this {
    return this
  }

  [NodeInspectSymbol](): object {
    return membersOf(this)
  }

  get over(): boolean {
    return this.#ended || this.#reason !== undefined
  }

  private why(): unknown {
    return this.#reason === undefined ? stepEnded(this.#caller) : this.#reason()
  }

  private dropQuestions(): void {
    if (this.#questions !== undefined) this.#caller.dropQuestions(this.#questions, this.why())
  }

  /** Ends it from outside; its signal is aborted with `reason`. */
  interrupt(reason: () => unknown): void {
    if (this.over) return
    this.#reason = reason
    this.#controller?.abort(reason())
    this.dropQuestions()
  }

  /** It has completed or failed by itself. */
  end(): void {
    if (this.over) return
    this.#ended = true
    this.dropQuestions()
    if (this.#controller === undefined) return
    // A listener of its signal that sends is not a mistake of the step.
    this.#reason = () => stepEnded(this.#caller)
    this.#controller.abort(this.#reason())
    this.#reason = undefined
  }
}

/**
 * Makes the console show the members of `ctx`. The console looks behind the proxy for a custom inspect function, and
 * calls it with the proxy; without one, it would print the whole run.
 */
export const membersOf = (ctx: object): object => ({ ...ctx })

/** The members of `ctx`. */
const members: Readonly<Record<keyof StepContext<any, any, any>, true>> = {
  send: true,
  ask: true,
  collect: true,
  get: true,
  set: true,
  update: true,
  per: true,
  signal: true,
  attempt: true,
  runId: true,
  step: true
}
const names = Object.keys(members)
const isMember = (key: PropertyKey): key is keyof StepContext<any, any, any> => Object.hasOwn(members, key)
const refuse = (): never => {
  throw new TypeError("ctx cannot be changed: make one of your own, { ...ctx, log }")
}

const handler: ProxyHandler<Attempted> = {
  get: (attempted, key) => (isMember(key) ? attempted.current[key] : undefined),
  has: (_, key) => isMember(key),
  ownKeys: () => names,
  getOwnPropertyDescriptor: (attempted, key) =>
    isMember(key) ? { get: () => attempted.current[key], enumerable: true, configurable: true } : undefined,
  set: refuse,
  defineProperty: refuse,
  deleteProperty: refuse,
  preventExtensions: refuse
}

/**
 * The attempt as the step's function gets it. Its members are own and enumerable, so `{ signal, ...rest }` and
 * `{ ...ctx }` contain all of them; they are created on demand.
 *
 * Hot: the proxy takes 9 ns, and each member read through it 25. With it, a loop was 5 % slower, and steps that send
 * were 20 % slower, so it is used only if the function could notice. Creating the functions for each attempt cost 15 ns
 * more than the proxy, and defining accessors 1,700.
 */
export const contextOf = (attempted: Attempted, taken: Taken): StepContext<any, any, any> => {
  if (taken === "not at all") return undefined as never
  const given = taken === "by members" ? attempted.current : new Proxy(attempted, handler)
  return given as unknown as StepContext<any, any, any>
}
