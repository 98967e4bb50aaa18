/**
 * What a step's function is given as `ctx`, one for each attempt. When the attempt is over, it does nothing more to the run.
 */
import * as Cause from "effect/Cause"
import { NodeInspectSymbol } from "effect/Inspectable"
import { StepEnded } from "../../../Errors.ts"
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { State } from "../../../State.ts"
import type { StepContext } from "../../../Step.ts"
import { unread } from "../../../Unread.ts"
import type { Node } from "../../graph/graph.ts"
import type { Taken } from "../../graph/taken.ts"
import { stepEnded } from "../flow/reasons.ts"
import type { Scope } from "../scope/scope.ts"
import type { Outbox } from "./outbox.ts"

/** The invocation that an attempt speaks for. */
export interface Caller {
  readonly node: Node
  readonly scope: Scope
  readonly run: {
    readonly id: string
    readonly workflow: string
  }
  send(event: unknown): void
  /** Records an event that comes to nothing: the attempt that sends it is over. */
  sendLate(event: unknown): void
  readonly outbox: Outbox
  /** Fails the run, even where the step's own code swallows the error. */
  fail(cause: Cause.Cause<unknown>): void
}

/** What has an attempt, which is made when somebody asks for it. */
export interface Attempted {
  readonly current: Attempt
}

export class Attempt implements Attempted {
  /** 1 at first, then one more each time the step is retried. */
  readonly number: number
  /** Whether it has emitted anything. */
  emitted = false
  readonly #caller: Caller
  /** Whether it came to its own end. */
  #ended = false
  /** Why it was ended from outside. */
  #reason: (() => unknown) | undefined
  #controller: AbortController | undefined

  constructor(caller: Caller, number: number) {
    this.#caller = caller
    this.number = number
  }

  // The functions are made when they are asked for, so that `({ send }) => …` works and most steps pay for none of them.
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
        caller.fail(Cause.die(error))
        throw error
      }
    }
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

  private get over(): boolean {
    return this.#ended || this.#reason !== undefined
  }

  private why(): unknown {
    return this.#reason === undefined ? stepEnded(this.#caller) : this.#reason()
  }

  /** It is ended from outside: `reason` is what its signal is aborted with. */
  interrupt(reason: () => unknown): void {
    if (this.over) return
    this.#reason = reason
    this.#controller?.abort(reason())
  }

  /** It has come to its own end. */
  end(): void {
    if (this.over) return
    this.#ended = true
    if (this.#controller === undefined) return
    // What a listener of its signal sends is no mistake of the step.
    this.#reason = () => stepEnded(this.#caller)
    this.#controller.abort(this.#reason())
    this.#reason = undefined
  }
}

/**
 * What the console shows of `ctx`: its members. It looks behind the proxy, where the whole run is, for a function
 * that says what to show, and calls that with the proxy.
 */
export const membersOf = (ctx: object): object => ({ ...ctx })

/** The members of `ctx`. */
const members: Readonly<Record<keyof StepContext<any, any>, true>> = {
  send: true,
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
const isMember = (key: PropertyKey): key is keyof StepContext<any, any> => Object.hasOwn(members, key)
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
 * An attempt as its step's function is given it. Its members are its own and enumerable, so that `{ signal, ...rest }` and
 * `{ ...ctx }` have them all, and are made when they are asked for.
 *
 * Hot: the proxy takes 9 ns, and each member read through it 25: a loop was 5 % slower with it, and steps that send were 20 %.
 * So it is made only where the function could find out that it is there. Functions made for each attempt took 15 ns more than
 * it, and accessors defined on each 1,700.
 */
export const contextOf = (attempted: Attempted, taken: Taken): StepContext<any, any> => {
  if (taken === "not at all") return undefined as never
  const given = taken === "by members" ? attempted.current : new Proxy(attempted, handler)
  return given as unknown as StepContext<any, any>
}
