/**
 * Runs one schedule after another for one input, and checks each.
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AnyWorkflow } from "stepgraph"
import type { Graph } from "stepgraph/graph"
import {
  type Broken,
  type Check,
  firstBroken,
  type Invariants,
  keyOf,
  type Outcome,
  outcomeOf,
  type Seen
} from "../Invariant.ts"
import { along, Choices, type Deviation, type Strategy } from "./choices.ts"
import type { Tally } from "./coverage.ts"
import type { Executed } from "./executed.ts"
import { Execution } from "./execution.ts"
import type { Mortal } from "./lives.ts"
import type { Modes } from "./modes.ts"
import type { Learned } from "./outside.ts"
import { prioritized, Search } from "./search.ts"
import { eventLoop, now } from "./turn.ts"
import { type Cause, notAgain } from "./uncontrolled.ts"

export interface Plan {
  readonly flow: AnyWorkflow
  readonly graph: Graph
  readonly modes: Modes
  readonly invariants: Invariants<any>
  readonly checks: Readonly<Record<string, Check<any>>>
  readonly program: (input: unknown) => Effect.Effect<unknown, unknown> | Mortal
  readonly context: Context.Context<never>
  readonly signal: AbortSignal
  readonly tally: Tally
  /** Receives the progress, again and again after so many milliseconds. */
  readonly progress: (schedules: number, depth: number) => void
  readonly progressAfter: number
  /** How many milliseconds of real time there are. */
  readonly millis: number
  /** Receives each different failure, and the search goes on. Without it, the first one ends the search. */
  readonly found: ((found: Found, input: unknown) => void) | undefined
}

/** A distinct outcome. */
export interface Ending {
  readonly outcome: Outcome
  readonly deviations: ReadonlyArray<Deviation>
  times: number
}

/** A schedule that breaks a rule. */
export interface Found {
  readonly broken: Broken
  readonly deviations: ReadonlyArray<Deviation>
  readonly executed: Executed
  readonly outcome: Outcome
  readonly usual: Outcome
  /** How the usual order ends when it is run again, if that is different. */
  readonly again: Outcome | undefined
  readonly schedules: number
}

interface Ran {
  readonly executed: Executed
  readonly choices: Choices
  readonly outcome: Outcome
}

/** A run that breaks a rule. */
interface Breaks {
  readonly broken: Broken
  readonly ran: Ran
}

/** Milliseconds of work before the event loop gets a turn. */
const turnAfter = 50

export class Explorer {
  private readonly plan: Plan
  readonly endings = new Map<string, Ending>()
  readonly uncontrolled = new Map<string, Cause>()
  /** How runs of this input end that are not cut, if it is known. */
  private allowed: ReadonlySet<string> | undefined
  private learned: Learned = { hasSay: false, inVain: false }
  schedules = 0
  /** Number of schedules whose process died, and the steps that were then called again. */
  cuts = 0
  readonly repeated = new Set<string>()
  private turnAt = now() + turnAfter
  private progressAt: number
  private readonly until: number
  /** The rules that were broken, and with which outcomes. */
  private readonly known = new Set<string>()

  constructor(plan: Plan) {
    this.plan = plan
    this.progressAt = now() + plan.progressAfter
    this.until = now() + plan.millis
  }

  private get isOver(): boolean {
    return this.plan.signal.aborted || now() > this.until
  }

  /** Runs one schedule. */
  async ran(input: unknown, strategy: Strategy, telling: boolean, modes = this.plan.modes): Promise<Ran> {
    const { plan } = this
    const choices = new Choices(strategy)
    const execution = new Execution(choices, modes, telling, this.learned)
    const running = execution.run(plan.program(input), plan.context, plan.signal)
    // Most runs finish synchronously; do not make them wait for a promise.
    const executed = running instanceof Promise ? await running : running
    return { executed, choices, outcome: outcomeOf(executed) }
  }

  /** Explores an input: all schedules with the fewest deviations, then random ones. */
  async explore(input: unknown, budget: number, randomly: number, seed: number): Promise<Found | "all" | "some"> {
    const search = new Search()
    let usual: Outcome | undefined
    await this.learnEndings(input, budget)
    let longest = 1
    let complete = false
    for (let left = budget; left > 0 && !this.isOver; left--) {
      const deviations = search.next()
      if (deviations === undefined) {
        complete = true
        break
      }
      const ran = await this.ran(input, along(deviations), false)
      usual ??= ran.outcome
      longest = Math.max(longest, ran.choices.counts.length)
      this.seen(ran, deviations)
      const broken = this.broken(ran, usual)
      if (broken !== undefined && this.isNew(broken, ran)) {
        const found = await this.describe(input, deviations, { broken, ran }, usual)
        if (this.ends(found, input)) return found
      }
      search.ran(deviations, ran.choices.counts)
      if (now() > this.turnAt) await this.turn(search.depth)
    }
    if (complete || search.next() === undefined) return "all"
    for (let i = 0; i < randomly && !this.isOver; i++) {
      const ran = await this.ran(input, prioritized(seed + i, longest), false)
      const deviations = ran.choices.deviations()
      this.seen(ran, deviations)
      const broken = this.broken(ran, usual!)
      if (broken !== undefined && this.isNew(broken, ran)) {
        const found = await this.shrink(input, deviations, { broken, ran }, usual!)
        if (this.ends(found, input)) return found
      }
      if (now() > this.turnAt) await this.turn(search.depth)
    }
    return "some"
  }

  /**
   * Where orders may end differently, a run that was cut must end like one that was not. Known if all those can be tried with a
   * quarter of the budget.
   */
  async learnEndings(input: unknown, budget: number): Promise<void> {
    this.allowed = undefined
    const { plan } = this
    if (!plan.modes.crash || plan.invariants.sameResult !== false) return
    const search = new Search()
    const endings = new Set<string>()
    for (let left = Math.ceil(budget / 4); ; left--) {
      const deviations = search.next()
      if (deviations === undefined) break
      if (left === 0 || plan.signal.aborted) return
      const ran = await this.ran(input, along(deviations), false, { ...plan.modes, crash: false })
      endings.add(keyOf(ran.outcome))
      search.ran(deviations, ran.choices.counts)
      if (now() > this.turnAt) await this.turn(search.depth)
    }
    this.allowed = endings
  }

  /** Whether a failure ends the search; if not, it is told. */
  private ends(found: Found, input: unknown): boolean {
    this.plan.found?.(found, input)
    return this.plan.found === undefined
  }

  /** Whether it ends the search, or no schedule has broken this rule with this outcome. */
  private isNew({ invariant }: Broken, { outcome }: Ran): boolean {
    if (this.plan.found === undefined) return true
    const way = `${invariant} ${keyOf(outcome)}`
    if (this.known.has(way)) return false
    this.known.add(way)
    return true
  }

  broken({ executed, outcome }: Ran, usual: Outcome): Broken | undefined {
    const { graph, invariants, checks } = this.plan
    const { trace, cancelled, faults } = executed
    const result = outcome.state === "stopped" ? outcome.result : undefined
    const crashed = executed.crash !== undefined
    const seen: Seen = { trace, outcome, result, usual, cancelled, faults, crashed }
    const broken = firstBroken(graph, seen, executed, invariants, checks)
    if (broken !== undefined || !crashed || faults > 0 || this.allowed?.has(keyOf(outcome)) !== false) return broken
    return { invariant: "safeToCrash", problem: "no order ends like this without a crash" }
  }

  seen({ executed, outcome, choices }: Ran, deviations: ReadonlyArray<Deviation>): void {
    this.schedules++
    if (executed.crash !== undefined) this.cuts++
    for (const { step } of executed.crash?.again ?? []) this.repeated.add(step)
    this.plan.tally.add(executed.model)
    let { hasSay, inVain } = this.learned
    for (const [what, cause] of executed.uncontrolled) {
      this.uncontrolled.set(what, cause)
      hasSay ||= cause === "outside" && !executed.waited
    }
    inVain ||= executed.inVain
    this.learned = { hasSay, inVain }
    if (choices.missed(deviations) !== undefined) this.notAgain()
    const key = keyOf(outcome)
    const ending = this.endings.get(key)
    if (ending === undefined) this.endings.set(key, { outcome, deviations, times: 1 })
    else ending.times++
  }

  private notAgain(): void {
    // Expected if the outside world influences the run.
    if (this.uncontrolled.size === 0) this.uncontrolled.set(notAgain, "again")
  }

  /** Runs a failing schedule once more to record its story. */
  private async describe(
    input: unknown,
    deviations: ReadonlyArray<Deviation>,
    first: Breaks,
    usual: Outcome
  ): Promise<Found> {
    const { endless, waited } = first.ran.executed
    // If a run did not end or waited in vain, a second run would add nothing.
    if (endless || (waited && deviations.length === 0)) return this.foundBy(first, deviations, usual, undefined)
    const again = await this.usualAgain(input, deviations, waited, usual)
    const ran = await this.ran(input, along(deviations), true)
    const broken = this.broken(ran, usual)
    if (broken?.invariant === first.broken.invariant) return this.foundBy({ broken, ran }, deviations, usual, again)
    this.notAgain()
    return this.foundBy(first, deviations, usual, again)
  }

  /** Runs the usual order again: services that remember earlier schedules make it end differently. */
  private async usualAgain(
    input: unknown,
    deviations: ReadonlyArray<Deviation>,
    waited: boolean,
    usual: Outcome
  ): Promise<Outcome | undefined> {
    if (deviations.length === 0 || waited) return undefined
    const { executed, outcome } = await this.ran(input, along([]), false)
    return executed.uncontrolled.size > 0 || keyOf(outcome) === keyOf(usual) ? undefined : outcome
  }

  private foundBy(
    { broken, ran }: Breaks,
    deviations: ReadonlyArray<Deviation>,
    usual: Outcome,
    again: Outcome | undefined
  ): Found {
    const { executed, outcome } = ran
    return { broken, deviations, executed, outcome, usual, again, schedules: this.schedules }
  }

  /** Removes deviations while the same rule is still broken. */
  private async shrink(
    input: unknown,
    deviations: ReadonlyArray<Deviation>,
    first: Breaks,
    usual: Outcome
  ): Promise<Found> {
    let smallest = deviations
    let best = first
    // Each run that waits in vain for the outside world would take as long again.
    for (let i = smallest.length - 1; i >= 0 && !best.ran.executed.waited; i--) {
      const fewer = smallest.filter((_, index) => index !== i).map((deviation) => ({ ...deviation, count: 0 }))
      const ran = await this.ran(input, along(fewer), false)
      const broken = this.broken(ran, usual)
      if (broken?.invariant !== first.broken.invariant) continue
      smallest = ran.choices.deviations()
      best = { broken, ran }
      i = Math.min(i, smallest.length)
    }
    return this.describe(input, smallest, best, usual)
  }

  /** Yields to the event loop, so a test's timeout and interruption work. */
  private async turn(depth: number): Promise<void> {
    await eventLoop()
    const at = now()
    this.turnAt = at + turnAfter
    if (at < this.progressAt) return
    this.progressAt = at + this.plan.progressAfter
    this.plan.progress(this.schedules, depth)
  }
}
