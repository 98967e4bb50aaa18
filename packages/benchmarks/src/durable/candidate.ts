/**
 * The contract of a candidate of the durable benchmark: an engine that keeps the result of each step before what follows begins.
 */

/** What a candidate may use. It is empty when the candidate comes to it first. */
export interface Place {
  /** For files. */
  readonly folder: string
  /** The URL of a database, for candidates that need one. */
  readonly postgres?: string | undefined
  /** A Restate server, for the candidate that needs one. */
  readonly restate?: Restate | undefined
}

export interface Restate {
  readonly ingress: string
  readonly admin: string
  /** Where the candidate serves its steps. */
  readonly port: number
}

/** What a candidate's steps call. They do nothing else. */
export interface Hooks {
  /** Called by each step with its number, from 1 on. While a kill is measured, a step takes a moment. */
  readonly step: (n: number) => Promise<void> | undefined
  /** Called by the step that follows the event which a run waited for. */
  readonly went: (id: string) => void
}

export interface Engine {
  /** A run of so many steps in a row, up to its result: the number of the last one. */
  readonly chain: (id: string, steps: number) => Promise<number>
  /** What a program does so that a chain goes on after the death of its process. */
  readonly goOn: (id: string, steps: number) => Promise<unknown>
  /** A run with so many steps side by side, at most `sideBySide` at once, up to its result: their number. */
  readonly fan: (id: string, items: number) => Promise<number>
  /** Starts a run that waits for an event after so many steps. Resolves when it waits, and that is kept. */
  readonly wait: (id: string, steps: number) => Promise<unknown>
  /** Sends the event. */
  readonly answer: (id: string) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

export interface Candidate {
  readonly open: (place: Place, hooks: Hooks) => Promise<Engine>
}

export const sideBySide = 20

/** Calls a function for each number up to a count, so many at once. */
export const atMost = async (count: number, once: (n: number) => Promise<unknown>): Promise<void> => {
  let next = 1
  const worker = async () => {
    while (next <= count) await once(next++)
  }
  await Promise.all(Array.from({ length: sideBySide }, worker))
}

/** Promises that somebody else resolves, by name. */
export class Signals<A = void> {
  private readonly signals = new Map<string, { readonly promise: Promise<A>; readonly resolve: (value: A) => void }>()

  private of(id: string) {
    let signal = this.signals.get(id)
    if (signal === undefined) {
      let resolve!: (value: A) => void
      const promise = new Promise<A>((take) => (resolve = take))
      signal = { promise, resolve }
      this.signals.set(id, signal)
    }
    return signal
  }

  give(id: string, value: A): void {
    this.of(id).resolve(value)
  }

  await(id: string): Promise<A> {
    return this.of(id).promise
  }
}
