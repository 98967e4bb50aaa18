/**
 * The state of one run: the value of each cell in use.
 */
import * as Schema from "effect/Schema"
import type { Settlement } from "../../../Host.ts"
import { initialOf, type State } from "../../../State.ts"

export class RunState {
  private values: Map<State<any>, unknown> | undefined
  /** Values that a host has written by name, for cells that the run has not used yet. */
  private stored: Map<string, unknown> | undefined

  get<S>(state: State<S>): S {
    return this.with(state).get(state) as S
  }

  set<S>(state: State<S>, value: S): void {
    this.with(state).set(state, value)
  }

  write(write: Settlement["writes"][number]): void {
    if ("state" in write) {
      this.set(write.state, write.value)
      return
    }
    const { name, json } = write
    this.stored ??= new Map()
    this.stored.set(name, json)
    for (const state of this.values?.keys() ?? []) if (state.name === name) this.set(state, decoded(state, json))
  }

  /** All values, that of this cell among them. Throws if it is not a cell. */
  private with(state: State<any>): Map<State<any>, unknown> {
    this.values ??= new Map()
    if (!this.values.has(state)) {
      const stored = this.stored?.has(state?.name) === true
      this.values.set(state, stored ? decoded(state, this.stored!.get(state.name)) : initialOf(state))
    }
    return this.values
  }
}

const decoded = <S>({ schema }: State<S>, json: unknown): S =>
  Schema.decodeUnknownSync(Schema.toCodecJson(schema) as Schema.Codec<S, unknown>)(json)
