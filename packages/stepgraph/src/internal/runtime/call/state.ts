/**
 * The state of one run: a `Ref` for each cell in use.
 */
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type { Settlement } from "../../../Host.ts"
import { initialOf, type State } from "../../../State.ts"

export class RunState {
  private refs: Map<State<any>, Ref.Ref<any>> | undefined
  /** Values that a host has written by name, for cells that the run has not used yet. */
  private stored: Map<string, unknown> | undefined

  get<S>(state: State<S>): S {
    return Ref.getUnsafe(this.ref(state))
  }

  set<S>(state: State<S>, value: S): void {
    this.ref(state).ref.current = value
  }

  write(write: Settlement["writes"][number]): void {
    if ("state" in write) {
      this.set(write.state, write.value)
      return
    }
    const { name, json } = write
    this.stored ??= new Map()
    this.stored.set(name, json)
    for (const state of this.refs?.keys() ?? []) if (state.name === name) this.set(state, decoded(state, json))
  }

  private ref<S>(state: State<S>): Ref.Ref<S> {
    this.refs ??= new Map()
    let ref = this.refs.get(state)
    if (ref === undefined) {
      const stored = this.stored?.has(state?.name) === true
      ref = Ref.makeUnsafe(stored ? decoded(state, this.stored!.get(state.name)) : initialOf(state))
      this.refs.set(state, ref)
    }
    return ref
  }
}

const decoded = <S>({ schema }: State<S>, json: unknown): S =>
  Schema.decodeUnknownSync(Schema.toCodecJson(schema) as Schema.Codec<S, unknown>)(json)
