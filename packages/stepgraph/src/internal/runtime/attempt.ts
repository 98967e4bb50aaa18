/**
 * What a step's function is given as `ctx`, one for each attempt.
 */
import * as Cause from "effect/Cause"
import { StepEnded } from "../../Errors.ts"
import type { AnyEvent, Defs } from "../../Event.ts"
import type { State } from "../../State.ts"
import type { Node } from "../graph/graph.ts"
import type { Scope } from "./scope.ts"
import type { RunState } from "./state.ts"

/** The invocation that an attempt speaks for. */
export interface Caller {
  readonly node: Node
  readonly scope: Scope
  readonly ended: boolean
  readonly run: {
    readonly id: string
    readonly workflow: string
    readonly state: RunState
  }
  send(event: unknown): void
  collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined
  /** Fails the run, even where the step's own code swallows the error. */
  fail(cause: Cause.Cause<unknown>): void
}

/** Only the last attempt may still emit. */
export class Attempt {
  readonly #invocation: Caller
  readonly #attempt: number
  #closed = false
  #aborted = false
  #controller: AbortController | undefined

  constructor(invocation: Caller, attempt: number) {
    this.#invocation = invocation
    this.#attempt = attempt
  }

  // The functions are made when they are asked for, so that `({ send }) => …` works and most steps pay for none of them.
  get send() {
    return (event: unknown): void => {
      const invocation = this.#invocation
      if (this.#closed || invocation.ended) {
        throw new StepEnded({ workflow: invocation.run.workflow, step: invocation.node.name, event })
      }
      try {
        invocation.send(event)
      } catch (error) {
        invocation.fail(Cause.die(error))
        throw error
      }
    }
  }

  get collect() {
    return (defs: Defs) => this.#invocation.collect(defs)
  }

  get get() {
    return <S>(state: State<S>): S => this.#invocation.run.state.get(state)
  }

  get set() {
    return <S>(state: State<S>, value: S): void => this.#invocation.run.state.set(state, value)
  }

  get update() {
    return <S>(state: State<S>, change: (value: S) => S): S => {
      const cells = this.#invocation.run.state
      const value = change(cells.get(state))
      cells.set(state, value)
      return value
    }
  }

  get per(): AnyEvent | undefined {
    const { node, scope } = this.#invocation
    return scope.owners[node.per]?.opener?.event
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  get attempt(): number {
    return this.#attempt
  }

  get runId(): string {
    return this.#invocation.run.id
  }

  get step(): string {
    return this.#invocation.node.name
  }

  abort(): void {
    this.#controller?.abort()
    this.#aborted = true
  }

  /** It may not emit any more. */
  close(aborted: boolean): void {
    this.#closed = true
    if (aborted) this.abort()
  }
}
