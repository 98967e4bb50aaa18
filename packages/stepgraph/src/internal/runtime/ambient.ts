/**
 * The ambient context that a run was started in: what an `AsyncLocalStorage` gives there. Whoever wakes a run, another
 * request or a timer, must not lend its own to the steps that go on.
 */

type Enter = <A>(work: () => A) => A

interface Platform {
  readonly process?: {
    readonly getBuiltinModule?: (name: string) =>
      | {
          readonly AsyncLocalStorage?: { readonly snapshot?: () => Enter }
        }
      | undefined
  }
}

/** Node from 20.16 on, Bun and Deno have one; a browser has none, and needs none. */
const storage = () => (globalThis as Platform).process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage

let snapshot: (() => Enter) | undefined
let looked = false

export class Ambient {
  private captured: Enter | undefined

  /** Keeps the context of this moment. A run that ends while whoever started it still waits never needs to. */
  capture(): void {
    if (!looked) {
      looked = true
      snapshot = storage()?.snapshot
    }
    this.captured ??= snapshot?.()
  }

  /** Does in the kept context what may have been called from any other. */
  enter<A>(work: () => A): A {
    return this.captured === undefined ? work() : this.captured(work)
  }
}
