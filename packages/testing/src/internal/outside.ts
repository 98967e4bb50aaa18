/**
 * The world outside of a run: the promises of its steps that are not settled, and how long it is waited for.
 */
import { activeOutside, eventLoop, now, realSleep } from "./turn.ts"

/** How many turns the event loop is given before it is asked whether somebody may still be woken. */
const patientTurns = 8

/** A promise that a step has returned. */
interface Awaited {
  readonly step: string
  /** Whether microtasks alone have not settled it. */
  stuck: boolean
}

/** How a run waits for the world outside. */
interface Waiting {
  /** Whether somebody has been woken. */
  readonly came: () => boolean
  readonly givesUp: () => boolean
  /** Whether the test itself keeps it from ending. */
  readonly hanging: boolean
}

const count = (kinds: ReadonlyArray<string>, kind: string): number => kinds.filter((other) => other === kind).length

export class Outside {
  private readonly awaited = new Set<Awaited>()
  private readonly activeBefore = activeOutside()
  /** How long it is waited for, in milliseconds. */
  private readonly patience: number
  /** Whether it has a say: it has woken a run before. */
  private hasSay: boolean

  constructor(patience: number, hasSay: boolean) {
    this.patience = patience
    this.hasSay = hasSay
  }

  /** Whether a promise of a step is not settled. */
  get awaits(): boolean {
    return this.awaited.size > 0
  }

  /** A step waits for a promise from now on, until what is returned is called. */
  await(step: string): () => void {
    const awaited = { step, stuck: false }
    this.awaited.add(awaited)
    return () => void this.awaited.delete(awaited)
  }

  /** All microtasks have run: what is not settled now, only the world outside can settle. */
  microtasksRan(): void {
    for (const awaited of this.awaited) awaited.stuck = true
  }

  /** The steps whose promises microtasks alone have not settled. */
  get stuck(): ReadonlyArray<string> {
    return [...new Set([...this.awaited].filter(({ stuck }) => stuck).map(({ step }) => step))]
  }

  /** Waits until somebody is woken, and gives the steps whose promises were settled; otherwise how it ended. */
  async wait({ came, givesUp, hanging }: Waiting): Promise<ReadonlyArray<string> | "in vain" | "at once" | "given up"> {
    const stuck = [...this.awaited].filter((awaited) => awaited.stuck)
    const until = now() + this.patience
    for (let turns = 0; !came(); turns++) {
      if (givesUp()) return "given up"
      // A few turns are for what is just about to come.
      if (turns === patientTurns && !this.mayCome(hanging)) return "at once"
      if (now() > until) return "in vain"
      await (turns > patientTurns ? realSleep(1) : eventLoop())
    }
    this.hasSay = true
    return stuck.filter((awaited) => !this.awaited.has(awaited)).map(({ step }) => step)
  }

  /**
   * Whether it is of use to wait. Nobody can know that a promise will not be settled, so it is given all its time: what is
   * open in the process does not tell, as others open and close theirs, and what was open before may serve again. What
   * an Effect waits for cannot be seen; most that waits for nothing outside is a deadlock, which is told at once.
   */
  private mayCome(hanging: boolean): boolean {
    return this.awaits || (!hanging && (this.hasSay || this.hasOpened() !== false))
  }

  /** Whether a timer, file or socket has been opened since the run began; `undefined` where that cannot be known. */
  hasOpened(): boolean | undefined {
    const [before, active] = [this.activeBefore, activeOutside()]
    if (before === undefined || active === undefined) return undefined
    return active.some((kind) => count(active, kind) > count(before, kind))
  }
}
