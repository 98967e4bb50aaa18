/**
 * The outside world a run: the unsettled promises of its steps, and how long to wait for them.
 */
import { activeOutside, eventLoop, now, realSleep } from "./turn.ts"

/** Turns of the event loop before checking whether anything can still wake the run. */
const patientTurns = 8

/** A promise that a step returned. */
interface Awaited {
  readonly step: string
  /** Whether it is still pending after all microtasks. */
  stuck: boolean
}

/** The waiting of a run for the outside world. */
interface Waiting {
  /** Whether something woke. */
  readonly came: () => boolean
  readonly givesUp: () => boolean
  /** Whether the test itself keeps the run from ending. */
  readonly hanging: boolean
}

/** What runs of a workflow have shown about the outside world. */
export interface Learned {
  /** Whether it has woken a run. */
  readonly hasSay: boolean
  /** Whether a run has used up its patience with it. */
  readonly inVain: boolean
}

const count = (kinds: ReadonlyArray<string>, kind: string): number => kinds.filter((other) => other === kind).length

export class Outside {
  private readonly awaited = new Set<Awaited>()
  private readonly activeBefore = activeOutside()
  /** How long to wait, in milliseconds. */
  private readonly patience: number
  private hasSay: boolean
  private readonly inVain: boolean

  constructor(patience: number, { hasSay, inVain }: Learned) {
    this.patience = patience
    this.hasSay = hasSay
    this.inVain = inVain
  }

  /** Whether a step has an unsettled promise. */
  get awaits(): boolean {
    return this.awaited.size > 0
  }

  /** A step starts to wait for a promise; call the result when it stops. */
  await(step: string): () => void {
    const awaited = { step, stuck: false }
    this.awaited.add(awaited)
    return () => void this.awaited.delete(awaited)
  }

  /** The process that waited for them has died. */
  forget(): void {
    this.awaited.clear()
  }

  /** All microtasks have run: only the outside world can settle the remaining promises. */
  microtasksRan(): void {
    for (const awaited of this.awaited) awaited.stuck = true
  }

  /** The steps whose promises are still pending after all microtasks. */
  get stuck(): ReadonlyArray<string> {
    return [...new Set([...this.awaited].filter(({ stuck }) => stuck).map(({ step }) => step))]
  }

  /** Waits until something wakes, and returns the steps whose promises settled; otherwise how the wait ended. */
  async wait({ came, givesUp, hanging }: Waiting): Promise<ReadonlyArray<string> | "in vain" | "at once" | "given up"> {
    const stuck = [...this.awaited].filter((awaited) => awaited.stuck)
    const until = now() + this.patience
    // Before the first turn, in which a handle of another program may close and so hide one of this run.
    const mayCome = this.mayCome(hanging)
    for (let turns = 0; !came(); turns++) {
      if (givesUp()) return "given up"
      // Allow a few turns for results that are about to come.
      if (turns === patientTurns && !mayCome && !this.mayCome(hanging)) return "at once"
      if (now() > until) return "in vain"
      await (turns > patientTurns ? realSleep(1) : eventLoop())
    }
    this.hasSay = true
    return stuck.filter((awaited) => !this.awaited.has(awaited)).map(({ step }) => step)
  }

  /**
   * Whether waiting is worthwhile. A pending promise may always settle, so it gets the full time: open handles of the
   * process prove nothing, since other code opens and closes its own, and older ones may be reused. An Effect's waiting
   * cannot be inspected; if nothing outside is open, it is most likely a deadlock, reported at once.
   */
  private mayCome(hanging: boolean): boolean {
    return this.awaits || (!hanging && (this.hasSay || this.hasOpened() !== false))
  }

  /**
   * Whether to wait before a time limit is taken as reached. Handles alone cannot tell: one that this run opened may have replaced
   * one that another program closed, and some are not listed. But after one wait in vain, each further one would take as long.
   */
  get mayComeBeforeLimit(): boolean {
    if (this.inVain) return this.awaits && this.hasOpened() !== false
    return this.mayCome(false)
  }

  /** Whether a timer, file or socket was opened since the run began; `undefined` if unknown. */
  hasOpened(): boolean | undefined {
    const [before, active] = [this.activeBefore, activeOutside()]
    if (before === undefined || active === undefined) return undefined
    return active.some((kind) => count(active, kind) > count(before, kind))
  }
}
