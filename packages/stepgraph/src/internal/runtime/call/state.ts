/**
 * The state of one run: a `Ref` for each cell that it has come to.
 */
import * as Ref from "effect/Ref"
import { initialOf, type State } from "../../../State.ts"

export class RunState {
  private refs: Map<State<any>, Ref.Ref<any>> | undefined

  get<S>(state: State<S>): S {
    return Ref.getUnsafe(this.ref(state))
  }

  set<S>(state: State<S>, value: S): void {
    this.ref(state).ref.current = value
  }

  private ref<S>(state: State<S>): Ref.Ref<S> {
    this.refs ??= new Map()
    let ref = this.refs.get(state)
    if (ref === undefined) {
      ref = Ref.makeUnsafe(initialOf(state))
      this.refs.set(state, ref)
    }
    return ref
  }
}
