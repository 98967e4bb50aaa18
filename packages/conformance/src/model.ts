// The semantics of a run (docs: delivery, intakes, scopes, inputs, stop, failure, stall) as a small interpreter without fibers
// or counters. It has no clock: a deadline may pass at any move, and a caller that knows the time chooses when. It keeps the
// events in flight, makes the move that it is given, and after each move searches the whole state for quiet intakes. Slow and
// plain on purpose: the runtime must agree with it.
import {
  askedTags,
  type Emitted,
  factsOf,
  type Given,
  holdsBack,
  idOf,
  keyOfInput,
  type Payload,
  type Plan,
  pick,
  plan,
  retries,
  type Spec,
  sent,
  whole
} from "./spec.ts"

// ---------------------------------------------------------------- what there is

/** Everything that descends from one event. The outermost scope is the run and has no opening event. */
export interface Scope {
  readonly number: number
  readonly opener: Event | undefined
  readonly parent: Scope | undefined
}

/** Events from outside, and those that descend only from them, are in no scope but the run as a whole. */
const isOutside = (scope: Scope): boolean => scope.number < 0

/**
 * A position in the tree of emissions. Each part is the index of an emission within its invocation, of a step that
 * accepted an event, or of a round of an intake, so it does not depend on timing.
 */
type Position = ReadonlyArray<{ readonly by: "emission" | "acceptor" | "intake" | "input"; readonly n: number }>

export interface Event extends Payload {
  readonly tag: string
  readonly scope: Scope
  readonly position: Position
  /** The time when it came to an intake. */
  readonly since?: number
}

/** An entry in a step's lane: one event, or a round of the step's intake. */
export interface Delivery {
  readonly step: number
  /** `undefined` stands for an event that did not come before a join's deadline. */
  readonly input: ReadonlyArray<Event | undefined>
  readonly scope: Scope
  readonly opener: Event | undefined
  readonly position: Position
}

export interface Run extends Delivery {
  readonly number: number
  plan: Plan
  /** Number of its emissions delivered so far. */
  emitted: number
  /** Interrupted by a race; in flight until its finalizers end. */
  interrupted: boolean
  /** What its function works with; undefined if it has nothing to do. */
  readonly given: Given | undefined
  attempt: number
  /** Number of questions that its attempt has asked, and the answers, by question. */
  asked: number
  answers: Readonly<Record<number, string>>
  /** It waits for answers without a worker, or, once it has them, for a worker. */
  place: "working" | "away" | "returning"
  /** A question of its attempt cannot be answered any more. */
  unanswered: boolean
}

/** A question that nobody has answered yet. */
interface Open {
  readonly run: number
  readonly n: number
  readonly of: ReadonlyArray<string>
  readonly key: number | undefined
}

interface Intake {
  readonly step: number
  readonly scope: Scope
  readonly key: number | undefined
  held: ReadonlyArray<Event>
  /** Until then, something can still happen at the step, in the scope of the first event. */
  deadline: { readonly at: number; readonly scope: Scope } | undefined
  /** Whether a race has been decided, so that later events are dropped. */
  decided: boolean
  /** Number of events ever received, by type: only to find out whether the result can depend on timing. */
  came: Readonly<Record<string, number>>
  rounds: number
  /** The rounds that were on their way at the last look. */
  onWay: ReadonlyArray<string>
}

export type Outcome =
  | { readonly _tag: "Stopped"; readonly stop: string; readonly id: string }
  | { readonly _tag: "Failed" | "Unanswered"; readonly step: string; readonly input: ReadonlyArray<string> }
  /** Number of events in the intakes of each step. */
  | { readonly _tag: "Stalled"; readonly waiting: Waiting }

export type Waiting = Readonly<Record<string, number>>

export interface State {
  readonly spec: Spec
  readonly rules: Rules
  readonly lanes: Array<ReadonlyArray<Delivery>>
  runs: ReadonlyArray<Run>
  /** In the order in which they were asked; the answers that came before a question; the runs that wait for a worker. */
  questions: ReadonlyArray<Open>
  early: ReadonlyArray<Emitted>
  returning: ReadonlyArray<number>
  readonly intakes: Map<string, Intake>
  /** Gathers and races with `take` that have had something in flight since they last ran. */
  readonly armed: Map<string, { readonly step: number; readonly scope: Scope }>
  /** Those of them that an event could have reached since they last ran. */
  readonly fresh: Set<string>
  outputs: ReadonlyArray<string>
  /** Everything emitted, and everything dropped by races, by step. */
  emitted: ReadonlyArray<Event>
  dropped: ReadonlyArray<{ readonly step: number; readonly id: string }>
  /** Races decided in the current moment. */
  decided: ReadonlyArray<Intake>
  outcome: Outcome | undefined
  now: number
  /** Number of events from outside so far, and whether more may come. */
  sent: number
  open: boolean
  /** Why another order of moves may lead to another outcome, if it may. */
  depends: string | undefined
  scopes: number
  started: number
}

/** Without these rules, a result would depend on timing, or a run would never end; the model's tests show how. */
export interface Rules {
  /** A gather waits for invocations of its own step in its scope. */
  readonly ownRunsHold: boolean
  /** A ready gather in an inner scope runs before one in an outer scope, even in a cycle. */
  readonly innerFirst: boolean
  /** Work inside a nested Doc also counts as in flight for the gathers of the outer Doc. */
  readonly nestedHolds: boolean
  /** A gather runs again only if an event was emitted upstream of it since it last ran. */
  readonly needsEvent: boolean
  /** Held events count as on their way while the missing ones can come from outside. */
  readonly parkedHolds: boolean
}

export const rules: Rules = {
  ownRunsHold: true,
  innerFirst: true,
  nestedHolds: true,
  needsEvent: true,
  parkedHolds: true
}

export type Move =
  | { readonly _tag: "start"; readonly step: number }
  /** The next event of an invocation that emits one by one; otherwise all remaining events and its end. */
  | { readonly _tag: "go"; readonly run: number }
  /** The deadline of an intake passes. */
  | { readonly _tag: "expire"; readonly intake: string }
  /** The next event comes from outside, or the inputs are closed. */
  | { readonly _tag: "outside" }
  /** An invocation that has its answers gets a worker again. */
  | { readonly _tag: "resume"; readonly step: number }

// ---------------------------------------------------------------- scopes and places

const outermost: Scope = { number: 0, opener: undefined, parent: undefined }
const outside: Scope = { number: -1, opener: undefined, parent: outermost }

const isWithin = (scope: Scope | undefined, outer: Scope): boolean =>
  scope !== undefined && (scope === outer || isWithin(scope.parent, outer))

/** From the innermost to the outermost. */
const scopesAround = (scope: Scope): ReadonlyArray<Scope> => {
  const around: Array<Scope> = []
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) if (!isOutside(at)) around.push(at)
  return around
}

/** The nearest enclosing scope that such an event opened. */
const nearest = (scope: Scope, per: string | undefined): Scope => {
  const found = scopesAround(scope).find(({ opener }) => opener?.tag === per)
  if (found !== undefined) return found
  throw new Error(`the model was given a workflow in which an event reaches an intake from outside of its '${per}'`)
}

const deepestShared = (events: ReadonlyArray<Event>): Scope => {
  const scoped = events.filter(({ scope }) => !isOutside(scope))
  if (scoped.length === 0) return outside
  let shared = scoped[0]!.scope
  while (!scoped.every((event) => isWithin(event.scope, shared))) shared = shared.parent!
  return shared
}

/**
 * Emissions of one invocation are ordered, whatever each led to. Everything else has some fixed order; here the
 * declaration order of the steps, with the results of intakes last.
 */
const comparePositions = (a: Position, b: Position): { readonly order: number; readonly sure: boolean } => {
  const rank = { emission: 0, acceptor: 1, intake: 2, input: 3 }
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i]!.by !== b[i]!.by) return { order: rank[a[i]!.by] - rank[b[i]!.by], sure: false }
    const sure = a[i]!.by === "emission" || a[i]!.by === "input"
    if (a[i]!.n !== b[i]!.n) return { order: a[i]!.n - b[i]!.n, sure }
  }
  return { order: a.length - b.length, sure: false }
}

const byPlace = (events: ReadonlyArray<Event>): ReadonlyArray<Event> =>
  [...events].sort((a, b) => comparePositions(a.position, b.position).order)

/** Whether these are the same events in an order that the contract allows. */
export const isEmissionOrder = (events: ReadonlyArray<Event>, ids: ReadonlyArray<string>): boolean => {
  const left = [...events]
  const taken = ids.flatMap((id) => {
    const at = left.findIndex((event) => event.id === id)
    return at < 0 ? [] : left.splice(at, 1)
  })
  const isBefore = (a: Event, b: Event): boolean => {
    const { order, sure } = comparePositions(a.position, b.position)
    return !sure || order < 0
  }
  return (
    left.length === 0 &&
    taken.length === ids.length &&
    taken.every((event, i) => taken.slice(i + 1).every((after) => isBefore(event, after)))
  )
}

// ---------------------------------------------------------------- the life of an invocation

export const begin = (spec: Spec, which: Rules = rules): State => {
  const state: State = {
    spec,
    rules: which,
    lanes: spec.steps.map(() => []),
    runs: [],
    questions: [],
    early: [],
    returning: [],
    intakes: new Map(),
    armed: new Map(),
    fresh: new Set(),
    outputs: [],
    emitted: [],
    dropped: [],
    decided: [],
    outcome: undefined,
    now: 0,
    sent: 0,
    open: spec.inputs !== undefined,
    depends: undefined,
    scopes: 0,
    started: 0
  }
  const first = { tag: spec.start, id: "start", fuel: spec.fuel, key: 0 }
  armAtOpening(state, first, outermost)
  emit(state, first, outermost, [])
  settle(state)
  return state
}

/** A copy that moves can change without affecting the original. */
export const fork = (state: State): State => ({
  ...state,
  lanes: [...state.lanes],
  runs: state.runs.map((run) => ({ ...run })),
  intakes: new Map([...state.intakes].map(([key, intake]) => [key, { ...intake }])),
  armed: new Map(state.armed),
  fresh: new Set(state.fresh)
})

export const moves = (state: State): ReadonlyArray<Move> =>
  state.outcome !== undefined
    ? []
    : [
        ...state.spec.steps.flatMap((_, step) => (canStart(state, step) ? [{ _tag: "start" as const, step }] : [])),
        ...state.spec.steps.flatMap((_, step) => (canResume(state, step) ? [{ _tag: "resume" as const, step }] : [])),
        ...state.runs.flatMap((run) => (canGo(state, run) ? [{ _tag: "go" as const, run: run.number }] : [])),
        ...deadlines(state).map(({ intake }) => ({ _tag: "expire" as const, intake })),
        ...(state.open ? [{ _tag: "outside" as const }] : [])
      ]

export const canStart = (state: State, step: number): boolean => {
  return state.lanes[step]!.length > 0 && firstReturning(state, step) === undefined && hasWorker(state, step)
}

const hasWorker = (state: State, step: number): boolean => {
  const { workers } = state.spec.steps[step]!
  const busy = state.runs.filter((run) => run.step === step && run.place === "working").length
  return workers === "unbounded" || busy < workers
}

const firstReturning = (state: State, step: number): Run | undefined => {
  const runs = state.returning.map((number) => state.runs.find((run) => run.number === number)!)
  return runs.find((run) => run.step === step)
}

export const canResume = (state: State, step: number): boolean =>
  firstReturning(state, step) !== undefined && hasWorker(state, step)

/** Whether its next action is to ask. */
export const isAsking = (state: State, run: Run): boolean => {
  const { asks } = state.spec.steps[run.step]!
  if (asks === undefined || run.given === undefined || run.unanswered || run.asked === asks.count) return false
  return asks.together || Object.keys(run.answers).length === run.asked
}

/** While it waits for answers, it can only be interrupted, or ask more at once. */
export const canGo = (state: State, run: Run): boolean =>
  run.interrupted || run.place === "working" || isAsking(state, run)

export const move = (state: State, next: Move): void => {
  if (next._tag === "start") start(state, next.step)
  else if (next._tag === "expire") expire(state, state.intakes.get(next.intake)!)
  else if (next._tag === "outside") comeFromOutside(state)
  else if (next._tag === "resume") resume(state, firstReturning(state, next.step)!)
  else go(state, state.runs.find((run) => run.number === next.run)!)
  settle(state)
}

export const givenOf = (delivery: Delivery): Given => ({ events: delivery.input, opener: delivery.opener })

const start = (state: State, step: number): void => {
  const [delivery, ...rest] = state.lanes[step]!
  state.lanes[step] = rest
  const { accepts } = state.spec.steps[step]!
  const run = (input: Delivery["input"]) => plan(state.spec, step, givenOf({ ...delivery!, input }))
  const collected = accepts.kind === "hand" ? collectByHand(state, delivery!) : delivery!.input
  const nothing: Plan = { emits: [], failing: 0, before: 0, recovered: [] }
  // Previously in no scope, the invocation now holds an event of a scope.
  const moves = accepts.kind === "hand" && collected !== undefined && isOutside(delivery!.scope)
  state.runs = [
    ...state.runs,
    {
      ...delivery!,
      scope: moves ? deepestShared(collected.filter(isEvent)) : delivery!.scope,
      number: state.started++,
      plan: collected === undefined ? nothing : run(collected),
      emitted: 0,
      interrupted: false,
      given: collected === undefined ? undefined : givenOf({ ...delivery!, input: collected }),
      attempt: 1,
      asked: 0,
      answers: {},
      place: "working",
      unanswered: false
    }
  ]
}

// ---------------------------------------------------------------- questions

/** An early answer will do, or it waits without a worker. */
const ask = (state: State, run: Run): void => {
  const { asks } = state.spec.steps[run.step]!
  const key = asks!.byKey ? keyOfInput(run.given!) : undefined
  const open: Open = { run: run.number, n: run.asked++, of: asks!.of, key }
  const early = state.early.find((event) => answers(event, open))
  if (early !== undefined) {
    state.early = state.early.filter((event) => event !== early)
    run.answers = { ...run.answers, [open.n]: early.id }
  } else if (!state.open) run.unanswered = true
  else {
    state.questions = [...state.questions, open]
    state.returning = state.returning.filter((number) => number !== run.number)
    run.place = "away"
  }
}

const answers = (event: Emitted, { of, key }: Open): boolean =>
  of.includes(event.tag) && (key === undefined || event.key === key)

const answer = (state: State, event: Emitted): void => {
  const open = state.questions.find((question) => answers(event, question))
  if (open === undefined) state.early = [...state.early, event]
  else {
    // With two that it fits, who asked first is a matter of timing, and so it is with two answers for one question.
    depends(state, "an answer")
    const run = state.runs.find(({ number }) => number === open.run)!
    run.answers = { ...run.answers, [open.n]: event.id }
    close(state, open, run)
  }
}

const close = (state: State, open: Open, run: Run): void => {
  state.questions = state.questions.filter((question) => question !== open)
  if (state.questions.some((question) => question.run === run.number)) return
  run.place = "returning"
  state.returning = [...state.returning, run.number]
}

const failOpen = (state: State): void => {
  for (const open of state.questions) {
    if (!state.questions.includes(open)) continue
    const run = state.runs.find(({ number }) => number === open.run)!
    run.unanswered = true
    // Effects withdraw the other questions when one has failed; promises wait for all.
    if (state.spec.steps[run.step]!.form !== "promise")
      state.questions = state.questions.filter((other) => other === open || other.run !== open.run)
    close(state, open, run)
  }
}

const resume = (state: State, run: Run): void => {
  state.returning = state.returning.filter((number) => number !== run.number)
  run.place = "working"
}

/** It needs neither an answer nor a worker any more. */
const interrupt = (state: State, run: Run): void => {
  run.interrupted = true
  state.questions = state.questions.filter((question) => question.run !== run.number)
  state.returning = state.returning.filter((number) => number !== run.number)
  if (run.place !== "working") run.place = "away"
}

/** The answers in the order of the questions. */
export const answersOf = ({ answers, asked }: Run): ReadonlyArray<string> =>
  Array.from({ length: asked }, (_, n) => answers[n] ?? "-")

// ---------------------------------------------------------------- emissions

const go = (state: State, run: Run): void => {
  if (run.interrupted) return over(state, run)
  const step = state.spec.steps[run.step]!
  if (isAsking(state, run)) return ask(state, run)
  if (step.asks !== undefined && run.given !== undefined && !run.unanswered) {
    run.plan = plan(state.spec, run.step, run.given, answersOf(run))
    if (step.failure === "retry" && run.attempt <= Math.min(retries, run.plan.failing)) {
      run.attempt += 1
      run.asked = 0
      run.answers = {}
      return
    }
  }
  const fails = run.unanswered || run.plan.failing > retries
  const recovered = fails && step.failure === "recover" && holdsBack(step)
  const { emits, before } = run.plan
  const events = recovered
    ? run.plan.recovered
    : fails
      ? holdsBack(step) || run.unanswered
        ? []
        : emits.slice(0, before)
      : emits
  const oneByOne = !whole.has(step.form) && !holdsBack(step)
  const ends = !oneByOne || run.emitted === events.length
  const last = oneByOne ? Math.min(run.emitted + 1, events.length) : events.length
  while (run.emitted < last) {
    emit(state, events[run.emitted]!, run.scope, [...run.position, { by: "emission", n: run.emitted }])
    run.emitted += 1
    fireQuiet(state)
  }
  if (!ends) return
  over(state, run)
  if (fails && !recovered && state.outcome === undefined) {
    if (inFlight(state).length > 0 || state.open) depends(state, "a failure while something else was in flight")
    state.outcome = {
      _tag: run.unanswered ? "Unanswered" : "Failed",
      step: step.name,
      input: run.input.map(idOf)
    }
  }
}

const over = (state: State, run: Run): void => {
  state.runs = state.runs.filter((other) => other !== run)
}

const depends = (state: State, why: string): void => {
  state.depends ??= why
}

const comeFromOutside = (state: State): void => {
  const n = state.sent
  if (n === state.spec.inputs!.sends.length) return closeInputs(state)
  state.sent += 1
  const event = sent(state.spec, n)
  emit(state, event, outside, [{ by: "input", n }])
  // A race that it decides interrupts who waits for an answer.
  settleRaces(state)
  if (state.outcome === undefined && askedTags(state.spec).has(event.tag)) answer(state, event)
}

/**
 * Intakes that inputs alone can lead to now have a round, empty if nothing came, unless a decided race no longer needs it.
 */
const closeInputs = (state: State): void => {
  state.open = false
  const facts = factsOf(state.spec)
  const decided = [...state.intakes.values()].filter((intake) => intake.decided && intake.scope === outermost)
  for (const step of waitingForQuiet(state)) {
    if (state.spec.steps[step]!.accepts.per !== undefined) continue
    if (heldByInputs(state, step)) state.fresh.add(`${step}/${outermost.number}`)
    if (!runsWithInputs(state, step) || decided.some((race) => facts.upstream(race.step).has(step))) continue
    arm(state, step, outermost)
  }
  failOpen(state)
}

// ---------------------------------------------------------------- delivery

const emit = (state: State, emission: Emitted, within: Scope, position: Position): void => {
  if (state.outcome !== undefined) return
  const { spec } = state
  const facts = factsOf(spec)
  const made = { ...emission, scope: within, position }
  const parent = isOutside(within) ? outermost : within
  const scope = (opener: Event): Scope => ({ number: ++state.scopes, opener, parent })
  const event = facts.isOpener(made.tag) ? openWith(made, scope) : made
  state.emitted = [...state.emitted, event]
  if (spec.stops.includes(event.tag)) {
    if (inFlight(state).length > 1 || state.open) depends(state, "a stop while something else was in flight")
    state.outcome = { _tag: "Stopped", stop: event.tag, id: event.id }
    return
  }
  if (spec.outputs.includes(event.tag)) state.outputs = [...state.outputs, event.id]
  if (event.scope !== within) armAtOpening(state, event, event.scope)
  facts.acceptors(event.tag).forEach((step, branch) => {
    deliver(state, step, { ...event, position: [...event.position, { by: "acceptor", n: branch }] })
  })
}

/** An event that opens a scope is itself inside it. */
const openWith = (event: Event, scope: (opener: Event) => Scope): Event => {
  const opened = scope(event)
  return { ...event, scope: opened }
}

const deliver = (state: State, step: number, event: Event): void => {
  for (const waiting of waitingForQuiet(state)) {
    if (waiting !== step && !factsOf(state.spec).upstream(waiting).has(step)) continue
    for (const scope of scopesAround(event.scope)) {
      if (scope.opener?.tag === state.spec.steps[waiting]!.accepts.per) state.fresh.add(`${waiting}/${scope.number}`)
    }
  }
  const { kind, of, count, per, by, within } = state.spec.steps[step]!.accepts
  if (kind === "each" || kind === "hand") {
    return enqueue(state, { step, input: [event], scope: event.scope, opener: undefined, position: event.position })
  }
  const scope = nearest(event.scope, per)
  const intake = intakeOf(state, step, scope, by === true ? event.key : undefined)
  intake.came = { ...intake.came, [event.tag]: (intake.came[event.tag] ?? 0) + 1 }
  if (intake.decided) {
    state.dropped = [...state.dropped, { step, id: event.id }]
    return
  }
  intake.held = [...intake.held, { ...event, since: state.now }]
  if (waitingForQuiet(state).includes(step)) arm(state, step, scope)
  if (kind === "join") {
    if (of.some((tag) => intake.came[tag]! > of.filter((other) => other === tag).length)) {
      depends(state, "a join to which more came than it takes")
    }
    for (let input = oneOfEach(of, intake.held); input !== undefined; input = oneOfEach(of, intake.held)) {
      intake.deadline = undefined
      fire(state, intake, input, deepestShared(input))
    }
  }
  if (kind === "collect") {
    if (Object.values(intake.came).reduce((a, b) => a + b) > count!)
      depends(state, "a collect to which more came than it takes")
    if (intake.held.length === count) {
      intake.deadline = undefined
      fire(state, intake, intake.held, deepestShared(intake.held))
    }
  }
  if (within !== undefined) startDeadline(state, intake)
  if (kind === "race" && intake.held.length === (count ?? 1)) {
    depends(state, "a race that was decided by who came first")
    decide(state, intake)
  }
  noteParked(state, intake)
}

const intakeOf = (state: State, step: number, scope: Scope, key: number | undefined): Intake => {
  const name = `${step}/${scope.number}/${key ?? ""}`
  const known = state.intakes.get(name)
  if (known !== undefined) return known
  const made: Intake = {
    step,
    scope,
    key,
    held: [],
    deadline: undefined,
    decided: false,
    came: {},
    rounds: 0,
    onWay: []
  }
  state.intakes.set(name, made)
  return made
}

/** The first event of each type in the order of the list, if there is one. */
const firstOfEach = (of: ReadonlyArray<string>, held: ReadonlyArray<Event>): ReadonlyArray<Event | undefined> => {
  const left = [...held]
  return of.map((tag) => {
    const at = left.findIndex((event) => event.tag === tag)
    return at < 0 ? undefined : left.splice(at, 1)[0]
  })
}

const isEvent = (event: Event | undefined): event is Event => event !== undefined

/** All of them, or `undefined` while one is missing. */
const oneOfEach = (of: ReadonlyArray<string>, held: ReadonlyArray<Event>): ReadonlyArray<Event> | undefined => {
  const taken = firstOfEach(of, held)
  return taken.every(isEvent) ? taken : undefined
}

// ---------------------------------------------------------------- deadlines

/** The deadline for held events, counted from the first of them. */
const startDeadline = (state: State, intake: Intake): void => {
  if (intake.deadline !== undefined || intake.held.length === 0) return
  depends(state, "a deadline")
  const { of, kind, within } = state.spec.steps[intake.step]!.accepts
  const first = kind === "join" ? firstOfEach(of, intake.held).find(isEvent)! : intake.held[0]!
  intake.deadline = { at: intake.held[0]!.since! + within!, scope: first.scope }
  armDownstream(state, intake.step, first.scope)
}

/** The step runs with the events so far. */
const expire = (state: State, intake: Intake): void => {
  const { of, kind } = state.spec.steps[intake.step]!.accepts
  intake.deadline = undefined
  const input = kind === "join" ? firstOfEach(of, intake.held) : intake.held
  fire(state, intake, input, deepestShared(input.filter(isEvent)))
  startDeadline(state, intake)
}

/** The running deadlines, by the name of their intake. */
export const deadlines = (state: State) =>
  [...state.intakes].flatMap(([intake, { step, deadline }]) =>
    deadline === undefined ? [] : [{ intake, step, ...deadline }]
  )

// ---------------------------------------------------------------- rounds

/** `ctx.collect`: events kept by earlier invocations of the step, with this invocation's event. */
const collectByHand = (state: State, delivery: Delivery): ReadonlyArray<Event> | undefined => {
  const { of } = state.spec.steps[delivery.step]!.accepts
  const intake = intakeOf(state, delivery.step, outermost, undefined)
  intake.held = [...intake.held, ...delivery.input.filter(isEvent)]
  if (intake.held.length > of.length || intake.rounds > 0) depends(state, "ctx.collect with more than it takes")
  const input = oneOfEach(of, intake.held)
  if (input !== undefined) {
    intake.rounds += 1
    intake.held = intake.held.filter((event) => !input.includes(event))
  }
  noteParked(state, intake)
  return input
}

const fire = (state: State, intake: Intake, input: Delivery["input"], scope: Scope): void => {
  intake.held = intake.held.filter((event) => !input.includes(event))
  intake.rounds += 1
  const { opener } = intake.scope
  const round = (intake.step * 100 + (intake.key ?? 0)) * 1000 + intake.rounds
  const position: Position = [...(scope.opener?.position ?? []), { by: "intake", n: round }]
  enqueue(state, { step: intake.step, input, scope, opener, position })
}

const enqueue = (state: State, delivery: Delivery): void => {
  state.lanes[delivery.step] = [...state.lanes[delivery.step]!, delivery]
  armDownstream(state, delivery.step, delivery.scope)
}

/** Something is in flight at a step. */
const armDownstream = (state: State, step: number, at: Scope): void => {
  const facts = factsOf(state.spec)
  for (const waiting of waitingForQuiet(state)) {
    if (!facts.arming(waiting).has(step)) continue
    for (const scope of scopesAround(at)) {
      if (scope.opener?.tag !== state.spec.steps[waiting]!.accepts.per) continue
      arm(state, waiting, scope)
      // Events inside a nested Doc hold back the outer Doc's gathers, but do not start a round of them.
      break
    }
  }
}

/** A race is decided when enough events have come; the effects follow at the end of the moment. */
const decide = (state: State, intake: Intake): void => {
  intake.decided = true
  state.armed.delete(`${intake.step}/${intake.scope.number}`)
  state.decided = [...state.decided, intake]
}

/**
 * All events of one return or one input arrive in the same moment. At its end, decided races drop and interrupt
 * everything that could still reach them, and then run their steps.
 */
const settleRaces = (state: State): void => {
  const { decided } = state
  for (const intake of decided) cancel(state, intake)
  state.decided = []
  for (const intake of decided) fire(state, intake, intake.held, intake.scope)
}

const cancel = (state: State, intake: Intake): void => {
  const upstream = factsOf(state.spec).upstream(intake.step)
  const loses = (item: { readonly step: number; readonly scope: Scope }) =>
    upstream.has(item.step) && isWithin(item.scope, intake.scope)
  const drop = (step: number, events: Delivery["input"]) => {
    state.dropped = [...state.dropped, ...events.filter(isEvent).map(({ id }) => ({ step, id }))]
  }
  for (const [step, lane] of state.lanes.entries()) {
    for (const delivery of lane) if (loses(delivery)) drop(step, delivery.input)
    state.lanes[step] = lane.filter((delivery) => !loses(delivery))
  }
  for (const run of state.runs) if (loses(run)) interrupt(state, run)
  // Events held there would wait forever, or a gather would run with half of them. But the race's own step, or an input, may
  // still lead to the other half.
  const fed = intake.scope === outermost
  for (const other of state.intakes.values()) {
    const { fed: canBeFed, leadsWithin } = factsOf(state.spec)
    const refilled = leadsWithin(intake.step, other.step) || (fed && canBeFed(other.step))
    if (!loses(other) || other.decided || (refilled && !waitingForQuiet(state).includes(other.step))) continue
    drop(other.step, other.held)
    other.held = []
    other.deadline = undefined
  }
  for (const [key, at] of state.armed) if (loses(at)) state.armed.delete(key)
}

// ---------------------------------------------------------------- what inputs can bring

interface At {
  readonly step: number
  readonly scope: Scope
}

/** The future rounds of an intake: the events each one has, and for each missing event the types that can fill its place. */
const roundsOf = (
  state: State,
  { step, held }: Intake
): ReadonlyArray<{ readonly has: ReadonlyArray<Event>; readonly lacks: ReadonlyArray<ReadonlyArray<string>> }> => {
  const { kind, of, count } = state.spec.steps[step]!.accepts
  const slots =
    kind === "collect"
      ? [{ tags: of, needed: count! }]
      : [...new Set(of)].map((tag) => ({ tags: [tag], needed: of.filter((other) => other === tag).length }))
  const rounds: Array<{ has: Array<Event>; lacks: Array<ReadonlyArray<string>> }> = []
  for (let n = 0; ; n++) {
    const round = { has: [] as Event[], lacks: [] as ReadonlyArray<string>[] }
    for (const { tags, needed } of slots) {
      const come = held.filter(({ tag }) => tags.includes(tag)).slice(n * needed, (n + 1) * needed)
      round.has.push(...come)
      if (come.length < needed) round.lacks.push(tags)
    }
    if (round.has.length === 0) return rounds
    rounds.push(round)
  }
}

/** Whether an event in no scope can still come: from a future input, or from an earlier one still on its way. */
const canComeOutside = (state: State, tag: string): boolean => {
  const facts = factsOf(state.spec)
  if (state.open && facts.comesOfInputs(tag, true)) return true
  return inFlight(state).some(({ step, scope }) => isOutside(scope) && facts.brings(step).has(tag))
}

/**
 * The rounds of an intake that inputs can complete, each in the scope in which it would run. That is the run's scope if the
 * missing event can only come in a new scope or in that of the run.
 */
const onItsWay = (state: State, intake: Intake): ReadonlyArray<At & { readonly name: string }> => {
  const { kind, of, per, within } = state.spec.steps[intake.step]!.accepts
  if (!state.rules.parkedHolds || state.spec.inputs === undefined || per !== undefined) return []
  if (kind !== "join" && kind !== "collect" && kind !== "hand") return []
  const { comesOfInputs } = factsOf(state.spec)
  if (!of.some((tag) => comesOfInputs(tag, false))) return []
  return roundsOf(state, intake).flatMap(({ has, lacks }) => {
    if (has.every((event) => isOutside(event.scope))) return []
    const isScoped = within !== undefined || lacks.every((tags) => tags.some((tag) => canComeOutside(state, tag)))
    const comes = (tag: string) => (state.open && comesOfInputs(tag, false)) || canComeOutside(state, tag)
    if (!isScoped && !lacks.every((tags) => tags.some(comes))) return []
    const scope = isScoped ? deepestShared(has) : outermost
    return [{ step: intake.step, scope, name: `${has[0]!.id}@${scope.number}` }]
  })
}

/** Held events on their way give intakes downstream a round, just as queued ones do. */
const noteParked = (state: State, intake: Intake): void => {
  const rounds = onItsWay(state, intake)
  for (const round of rounds) if (!intake.onWay.includes(round.name)) armDownstream(state, round.step, round.scope)
  intake.onWay = rounds.map(({ name }) => name)
}

/** Whether it waits for held events on their way in an intake. A decided race lets nothing through. */
const isAwaited = (state: State, parked: At, at: At): boolean => {
  const facts = factsOf(state.spec)
  if (!countsIn(state, parked.scope, at.scope)) return false
  const isOver = (step: number) => {
    const { kind, per } = state.spec.steps[step]!.accepts
    const around = scopesAround(parked.scope).find(({ opener }) => opener?.tag === per)
    return kind === "race" && around !== undefined && state.intakes.get(`${step}/${around.number}/`)?.decided === true
  }
  const { per } = state.spec.steps[at.step]!.accepts
  for (const step of facts.after(parked.step, isOver)) {
    if (isOver(step)) continue
    if (step === at.step) return true
    // Downstream of another waiting intake, it waits for that one.
    const { accepts } = state.spec.steps[step]!
    const waits = accepts.kind === "gather" || accepts.kind === "race"
    if (waits && accepts.per === per && facts.upstream(at.step).has(step)) return true
  }
  return false
}

/** While inputs are open: the intakes that they alone can lead to, and those that wait for the same. */
const runsWithInputs = (state: State, step: number): boolean => {
  const facts = factsOf(state.spec)
  const { steps } = state.spec
  return steps.some(({ accepts: { kind, per } }, other) => {
    if ((kind !== "gather" && kind !== "race") || per !== undefined || !facts.runsOfInputs(other)) return false
    return other === step || (facts.upstream(other).has(step) && facts.upstream(step).has(other))
  })
}

/** And those downstream of one. */
const heldByInputs = (state: State, step: number): boolean => {
  const upstream = factsOf(state.spec).upstream(step)
  const { steps } = state.spec
  return steps.some(
    ({ accepts: { kind, per } }, other) =>
      (kind === "gather" || kind === "race") &&
      per === undefined &&
      (other === step || upstream.has(other)) &&
      runsWithInputs(state, other)
  )
}

// ---------------------------------------------------------------- quiet

/** Steps that run when everything upstream has gone quiet. */
const waitingForQuiet = (state: State): ReadonlyArray<number> =>
  state.spec.steps.flatMap(({ accepts: { kind, count } }, i) =>
    kind === "gather" || (kind === "race" && count !== undefined) ? [i] : []
  )

const arm = (state: State, step: number, scope: Scope): void => {
  if (state.spec.steps[step]!.accepts.kind === "race" && intakeOf(state, step, scope, undefined).decided) return
  state.armed.set(`${step}/${scope.number}`, { step, scope })
}

/** A scope's opening counts as something in flight where its opener leads, even if a join takes the opener at once. */
const armAtOpening = (state: State, opener: Emitted, scope: Scope): void => {
  const facts = factsOf(state.spec)
  for (const step of waitingForQuiet(state)) {
    if (state.spec.steps[step]!.accepts.per !== scope.opener?.tag) continue
    if (facts.acceptors(opener.tag).some((to) => to === step || facts.arming(step).has(to))) arm(state, step, scope)
  }
}

const inFlight = (state: State): ReadonlyArray<{ readonly step: number; readonly scope: Scope }> => [
  ...state.lanes.flat(),
  ...state.runs,
  ...deadlines(state)
]

const countsIn = (state: State, scope: Scope, outer: Scope): boolean =>
  isWithin(scope, outer) && (state.rules.nestedHolds || nearest(scope, outer.opener?.tag) === outer)

const isQuiet = (state: State, at: At): boolean => {
  const upstream = factsOf(state.spec).upstream(at.step)
  if (state.open && at.scope === outermost && heldByInputs(state, at.step)) return false
  for (const intake of state.intakes.values()) {
    if (onItsWay(state, intake).some((parked) => isAwaited(state, parked, at))) return false
  }
  return ![...inFlight(state), ...state.decided].some(
    (item) =>
      countsIn(state, item.scope, at.scope) &&
      (upstream.has(item.step) || (state.rules.ownRunsHold && item.step === at.step))
  )
}

/** Whether `a` must run before `b` when both are quiet; `b` is then no longer quiet. */
const goesBefore = (
  state: State,
  a: { readonly step: number; readonly scope: Scope },
  b: { readonly step: number; readonly scope: Scope }
): boolean => {
  const facts = factsOf(state.spec)
  if (!countsIn(state, a.scope, b.scope)) return false
  const inner = state.rules.innerFirst && a.scope !== b.scope
  if (a.step === b.step) return inner
  if (!facts.upstream(b.step).has(a.step)) return false
  if (inner || !facts.upstream(a.step).has(b.step)) return true
  return (
    facts.distance(a.step) - facts.distance(b.step) < 0 ||
    (facts.distance(a.step) === facts.distance(b.step) && a.step < b.step)
  )
}

/** The deepest scopes go first, and those of one depth in the order of opening. */
const compareScopes = (a: Scope, b: Scope): number =>
  scopesAround(b).length - scopesAround(a).length || a.number - b.number

/** Runs every gather that has gone quiet, one after another. */
const fireQuiet = (state: State): { readonly step: number; readonly scope: Scope } | undefined => {
  const name = ({ step, scope }: { step: number; scope: Scope }) => `${step}/${scope.number}`
  for (;;) {
    const quiet = state.outcome === undefined ? [...state.armed.values()].filter((at) => isQuiet(state, at)) : []
    // Two gathers in a cycle with nothing to pass on would wake each other forever.
    if (state.rules.needsEvent) for (const at of quiet) if (!state.fresh.has(name(at))) state.armed.delete(name(at))
    const ready = quiet.filter((at) => state.armed.has(name(at)))
    const first = ready.filter((at) => !ready.some((other) => other !== at && goesBefore(state, other, at)))
    const next = state.rules.innerFirst ? first.sort((a, b) => compareScopes(a.scope, b.scope))[0] : first[0]
    if (next === undefined || state.spec.steps[next.step]!.accepts.kind === "race") return next
    const intake = intakeOf(state, next.step, next.scope, undefined)
    state.armed.delete(name(next))
    state.fresh.delete(name(next))
    fire(state, intake, byPlace(intake.held), intake.scope)
  }
}

/** The consequences of a move: decided races take effect, quiet gathers run, and the run may end. */
const settle = (state: State): void => {
  settleRaces(state)
  for (let race = fireQuiet(state); race !== undefined; race = fireQuiet(state)) {
    // If everything is quiet, there is nothing to cancel.
    const intake = intakeOf(state, race.step, race.scope, undefined)
    intake.decided = true
    state.armed.delete(`${race.step}/${race.scope.number}`)
    fire(state, intake, intake.held, intake.scope)
  }
  if (state.outcome === undefined && !state.open && inFlight(state).length === 0) {
    const held = [...state.intakes.values()].flatMap(({ step, held }) =>
      held.map(({ tag }) => ({ step: state.spec.steps[step]!.name, has: { [tag]: 1 } }))
    )
    state.outcome = { _tag: "Stalled", waiting: sumOf(held) }
  }
}

/** Summarises the intakes of each step, in an order independent of theirs. */
export const sumOf = (
  intakes: ReadonlyArray<{ readonly step: string; readonly has: Readonly<Record<string, number>> }>
): Waiting => {
  const sum: Record<string, number> = {}
  for (const { step, has } of [...intakes].sort((a, b) => (a.step < b.step ? -1 : 1))) {
    const held = Object.values(has).reduce((a, b) => a + b, 0)
    if (held > 0) sum[step] = (sum[step] ?? 0) + held
  }
  return sum
}

// ---------------------------------------------------------------- running it

/** Plays a run to its end; a seed chooses each move. */
export const play = (spec: Spec, seed: number, which: Rules = rules, limit = 4000): State | undefined => {
  const state = begin(spec, which)
  for (let i = 0; state.outcome === undefined; i++) {
    if (i === limit) return undefined
    const possible = moves(state)
    move(state, possible[pick(possible.length, seed, i)]!)
  }
  return state
}

export const showOutcome = (outcome: Outcome | undefined): string => JSON.stringify(outcome)

/** All possible outcomes over every order of moves; undefined if there are too many states. */
export const outcomes = (spec: Spec, limit: number, which: Rules = rules): ReadonlyMap<string, Outcome> | undefined => {
  const found = new Map<string, Outcome>()
  const seen = new Set<string>()
  const open = [begin(spec, which)]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (state.outcome !== undefined) {
      found.set(showOutcome(state.outcome), state.outcome)
      continue
    }
    for (const next of moves(state)) {
      const then = fork(state)
      move(then, next)
      const name = nameOf(then)
      if (seen.has(name)) continue
      if (seen.size === limit) return undefined
      seen.add(name)
      open.push(then)
    }
  }
  return found
}

/** Two states with one name continue in the same ways: scopes and events are named by their causes. */
export const nameOf = (state: State): string => {
  const where = (position: Position): string => position.map(({ by, n }) => `${by}${n}`).join(".")
  const scope = (at: Scope): string =>
    at.opener === undefined ? (isOutside(at) ? "-" : "") : `${scope(at.parent!)}${where(at.opener.position)}/`
  const delivery = ({ input, scope: at, position }: Delivery) => `${input.map(idOf)}@${scope(at)}${where(position)}`
  const intakes = [...state.intakes.entries()].map(
    ([key, { step, scope: at, held, deadline, decided, rounds, onWay }]) =>
      [
        step,
        scope(at),
        key.split("/")[2],
        held.map(({ id, position }) => `${id}@${where(position)}`),
        deadline && scope(deadline.scope),
        decided,
        rounds,
        onWay
      ].join()
  )
  const asking = ({ answers, asked, attempt, place, unanswered }: Run) =>
    [attempt, asked, JSON.stringify(answers), place, unanswered].join()
  const named = (number: number) => {
    const run = state.runs.find((run) => run.number === number)!
    return `${run.step}:${delivery(run)}`
  }
  return [
    state.lanes.map((lane) => lane.map(delivery).join(";")).join("|"),
    state.runs.map((run) => `${run.step}:${delivery(run)}:${run.emitted}${run.interrupted}${asking(run)}`).sort(),
    state.questions.map(({ n, run }) => `${named(run)}?${n}`),
    state.early.map(({ id }) => id),
    state.returning.map(named),
    intakes.sort(),
    [...state.armed.values()].map(({ step, scope: at }) => `${step}${scope(at)}`).sort(),
    // Scopes are numbered in order of opening, which can differ; then two names stand for one state.
    [...state.fresh].sort(),
    state.sent,
    state.open,
    showOutcome(state.outcome)
  ].join("#")
}
