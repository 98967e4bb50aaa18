// A workflow as plain data: its graph, and the behaviour of each step as a pure function of ids and a seed. The model
// interprets it, and `world.ts` builds the real workflow from it; both use `plan` for the behaviour.

/** The form of the step's function. */
export type Form = "value" | "generator" | "send" | "effect" | "effectSend" | "promise" | "asyncGenerator" | "stream"

export const synchronous: ReadonlySet<Form> = new Set(["value", "generator", "send"])
/** These return all events at once; the others emit one by one and may have emitted some when they fail. */
export const whole: ReadonlySet<Form> = new Set(["value", "effect", "promise"])
/** These are interrupted only through `ctx.signal`, so the runtime cannot know when they notice. */
export const foreign: ReadonlySet<Form> = new Set(["promise", "asyncGenerator"])

export interface Accepts {
  /** `hand` accepts single events and calls `ctx.collect(of)`. */
  readonly kind: "each" | "hand" | "join" | "collect" | "gather" | "race"
  readonly of: ReadonlyArray<string>
  /** `collect`: the number. `race`: `take`, or undefined. */
  readonly count?: number
  readonly per?: string
  readonly by?: true
  /** `join` and `collect`: the virtual milliseconds after which they run with the events so far. */
  readonly within?: number
  /** A gather whose order does not affect its output. */
  readonly anyOrder?: true
}

/** What an attempt asks before anything else: so many questions, in a row or at once. */
export interface Asks {
  readonly of: ReadonlyArray<string>
  readonly count: number
  readonly together: boolean
  /** Only an answer with the key of the input will do. */
  readonly byKey: boolean
}

/** Outputs of every step that asks or streams. */
export const question = "Question"
export const token = "Token"

export interface StepSpec {
  readonly name: string
  readonly accepts: Accepts
  readonly emits: ReadonlyArray<string>
  /** Emits every type once in order, or this many events of random types. */
  readonly fan: "all" | readonly [least: number, most: number]
  readonly workers: number | "unbounded"
  readonly form: Form
  /** The longest sleep of an invocation and of its finalizer, in virtual milliseconds. */
  readonly slow: number
  readonly cleanup: number
  /** The share of inputs that make an invocation fail, and the handler of the failure. */
  readonly fails: number
  readonly failure: "fatal" | "retry" | "recover"
  readonly asks?: Asks
  /** Each attempt begins, and goes on after its answers, with an event that is heard at once. */
  readonly streams?: true
}

/** The events from outside while the workflow runs: one after the other, each after a delay, and then the end of the inputs. */
export interface Inputs {
  readonly tags: ReadonlyArray<string>
  readonly sends: ReadonlyArray<{ readonly tag: string; readonly after: number }>
  readonly closes: number
}

export interface Spec {
  readonly seed: number
  /** The maximum number of hops around cycles in one line of descent. */
  readonly fuel: number
  readonly start: string
  readonly stops: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly inputs?: Inputs
  /** The virtual milliseconds after which the run is ended. */
  readonly timeout?: number
  readonly steps: ReadonlyArray<StepSpec>
}

/** The fields of every event in a generated workflow. */
export interface Payload {
  readonly id: string
  readonly fuel: number
  readonly key: number
}

export interface Emitted extends Payload {
  readonly tag: string
}

export interface Plan {
  readonly emits: ReadonlyArray<Emitted>
  /** The number of failing attempts before one succeeds; more than `retries` fails the run. */
  readonly failing: number
  /** How many of `emits` a failing attempt emits first. */
  readonly before: number
  /** The events that `recover` returns instead. */
  readonly recovered: ReadonlyArray<Emitted>
}

export const retries = 2

/** The nth event from outside. */
export const sent = (spec: Spec, n: number): Emitted => ({
  tag: spec.inputs!.sends[n]!.tag,
  id: `input${n}`,
  fuel: spec.fuel,
  key: n % 3
})

/** The types that may be sent, if only to answer a question. */
export const askedTags = (spec: Spec): ReadonlySet<string> => new Set(spec.steps.flatMap(({ asks }) => asks?.of ?? []))

/** Whether a run of it needs turns of the event loop. */
export const waitsForPromises = ({ steps }: Spec): boolean => steps.some(({ form }) => foreign.has(form))

/** With a retry or a recovery, nothing is emitted until an attempt succeeds. */
export const holdsBack = (step: StepSpec): boolean => step.fails > 0 && step.failure !== "fatal"

// ---------------------------------------------------------------- pseudo-random choices, pure in their arguments

/** A 53-bit hash (cyrb53); its ids do not collide within a test. */
const hash53 = (text: string): number => {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

/** An integer from 0 to below `below`. */
export const pick = (below: number, ...about: ReadonlyArray<string | number>): number =>
  below <= 1 ? 0 : hash53(about.join("|")) % below

const chance = (share: number, ...about: ReadonlyArray<string | number>): boolean =>
  share > 0 && pick(1000, ...about) < share * 1000

// ---------------------------------------------------------------- the behaviour of an invocation

/** The input of an invocation: its events in order, and the opening event of its scope if the intake has a `per`. */
export interface Given {
  /** `undefined` stands for an event that did not come before a join's deadline. */
  readonly events: ReadonlyArray<Payload | undefined>
  readonly opener: Payload | undefined
}

export const idOf = (event: Payload | undefined): string => event?.id ?? "-"
const idsOf = (given: Given): ReadonlyArray<string> => given.events.map(idOf)

/** Names an invocation by its input, independent of timing. */
export const runKey = (step: StepSpec, given: Given): string => `${step.name}(${idsOf(given).join()})`

/** Only a gather has an order independent of timing, so only its order may affect the output. */
const hasOrder = ({ accepts: { anyOrder, kind } }: StepSpec): boolean => kind === "gather" && anyOrder !== true

const inputKey = (step: StepSpec, given: Given): string => {
  const ids = hasOrder(step) ? idsOf(given) : [...idsOf(given)].sort()
  return `${step.name}(${ids.length === 0 ? (given.opener?.id ?? "") : ids.join()})`
}

/** The key of the answers to an invocation's questions. */
export const keyOfInput = ({ events, opener }: Given): number =>
  [...events.filter((event) => event !== undefined)].sort((a, b) => (a.id < b.id ? -1 : 1))[0]?.key ?? opener?.key ?? 0

const emissions = (
  spec: Spec,
  index: number,
  given: Given,
  what: string,
  answers: ReadonlyArray<string> = []
): ReadonlyArray<Emitted> => {
  const step = spec.steps[index]!
  const about = [spec.seed, what, inputKey(step, given), ...answers]
  const fuels = given.events.flatMap((event) => (event === undefined ? [] : [event.fuel]))
  const fuel = fuels.length === 0 ? 0 : Math.min(...fuels)
  const come = given.events.filter((event) => event !== undefined)
  const first = hasOrder(step) ? come[0] : [...come].sort((a, b) => (a.id < b.id ? -1 : 1))[0]
  const key = first?.key ?? given.opener?.key ?? 0
  const { inCircle } = factsOf(spec)
  const allowed = step.emits.filter((tag) => fuel > 0 || !inCircle(index, tag))
  const tags =
    allowed.length === 0
      ? []
      : step.fan === "all"
        ? allowed
        : Array.from(
            { length: step.fan[0] + pick(step.fan[1] - step.fan[0] + 1, ...about, "count") },
            (_, i) => allowed[pick(allowed.length, ...about, "tag", i)]!
          )
  return tags.map((tag, i) => ({
    tag,
    id: hash53([...about, i].join("|")).toString(36),
    fuel: inCircle(index, tag) ? fuel - 1 : fuel,
    key: tags.length === 1 ? key : (key + i) % 3
  }))
}

/** The behaviour of this step for this input, once its questions have these answers. */
export const plan = (spec: Spec, index: number, given: Given, answers: ReadonlyArray<string> = []): Plan => {
  const step = spec.steps[index]!
  const emits = emissions(spec, index, given, "emit", answers)
  const recovered = step.failure === "recover" && step.fails > 0 ? emissions(spec, index, given, "recover") : []
  const about = [spec.seed, "fail", inputKey(step, given)]
  if (!chance(step.fails, ...about)) return { emits, failing: 0, before: 0, recovered }
  return {
    emits,
    failing: step.failure === "retry" ? 1 + pick(retries + 1, ...about, "times") : retries + 1,
    before: whole.has(step.form) ? 0 : pick(emits.length + 1, ...about, "before"),
    recovered
  }
}

// ---------------------------------------------------------------- facts of the declared graph

export interface Facts {
  /** The steps that accept a type, in order of declaration. */
  readonly acceptors: (tag: string) => ReadonlyArray<number>
  /** Upstream of an intake: the steps from which its events can still come. */
  readonly upstream: (step: number) => ReadonlySet<number>
  /** Those of them that reach it without passing another gather of the same scope. */
  readonly arming: (step: number) => ReadonlySet<number>
  /** Whether a path leads from a step to an intake without opening another scope of the intake's kind. */
  readonly leadsWithin: (from: number, to: number) => boolean
  /** Whether a cycle leads from the step through the type back to the step. */
  readonly inCircle: (step: number, tag: string) => boolean
  /** Steps between the start event and this one. */
  readonly distance: (step: number) => number
  readonly isOpener: (tag: string) => boolean
  /** Whether an event from outside can lead to the step, alone or with others. */
  readonly fed: (step: number) => boolean
  /** Whether inputs alone can lead to an event of the type; with `outside`, to one in no scope. */
  readonly comesOfInputs: (tag: string, outside: boolean) => boolean
  /** Whether inputs alone can make the step run. */
  readonly runsOfInputs: (step: number) => boolean
  /** The types of events in no scope that an event in no scope at the step can lead to. */
  readonly brings: (step: number) => ReadonlySet<string>
  /** The steps downstream of one, on paths that avoid `closed` steps. */
  readonly after: (step: number, closed: (step: number) => boolean) => ReadonlySet<number>
  /** The opener types whose scope surely contains every event of the type, including the type itself. */
  readonly insideOf: (tag: string) => ReadonlySet<string>
}

const cache = new WeakMap<Spec, Facts>()

export const factsOf = (spec: Spec): Facts => {
  const known = cache.get(spec)
  if (known !== undefined) return known
  const facts = computeFacts(spec)
  cache.set(spec, facts)
  return facts
}

const computeFacts = (spec: Spec): Facts => {
  const steps = spec.steps
  const accepting = new Map<string, ReadonlyArray<number>>()
  const outside = spec.inputs?.tags ?? []
  for (const tag of [spec.start, ...outside, ...steps.flatMap((step) => step.emits)]) {
    accepting.set(
      tag,
      steps.flatMap((step, i) => (step.accepts.of.includes(tag) ? [i] : []))
    )
  }
  const acceptors = (tag: string) => accepting.get(tag) ?? []
  const next = steps.map((step) => new Set(step.emits.flatMap(acceptors)))

  /** All steps that a walk from `from` reaches; it does not continue past steps in `closed`. */
  const walk = (from: Iterable<number>, closed: (step: number) => boolean): ReadonlySet<number> => {
    const seen = new Set<number>()
    const open = [...from]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      if (!closed(at)) open.push(...next[at]!)
    }
    return seen
  }
  const reach = steps.map((_, i) => walk(next[i]!, () => false))
  const others = steps.map((_, i) => i)
  const upstream = steps.map((_, i) => new Set(others.filter((from) => from !== i && reach[from]!.has(i))))
  const arming = steps.map((step, i) => {
    const closed = (at: number) =>
      at === i || (steps[at]!.accepts.kind === "gather" && steps[at]!.accepts.per === step.accepts.per)
    return new Set(others.filter((from) => from !== i && walk(next[from]!, closed).has(i)))
  })

  const distance = steps.map(() => Number.POSITIVE_INFINITY)
  let front: ReadonlyArray<number> = acceptors(spec.start)
  for (let hops = 0; front.length > 0; hops++) {
    for (const at of front) distance[at] = Math.min(distance[at]!, hops)
    front = [...new Set(front.flatMap((at) => [...next[at]!]))].filter((at) => distance[at]! > hops + 1)
  }

  const leadsWithin = (from: number, to: number): boolean => {
    const { per } = steps[to]!.accepts
    const seen = new Set<number>()
    const open = [from]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const after of steps[at]!.emits.filter((tag) => tag !== per).flatMap(acceptors)) {
        if (after === to) return true
        if (seen.has(after)) continue
        seen.add(after)
        open.push(after)
      }
    }
    return false
  }

  const openers = new Set(steps.flatMap((step) => step.accepts.per ?? []))
  const fed = walk(outside.flatMap(acceptors), () => false)
  const { free, runs } = ofInputs(spec)
  const scopeless = scopelessTags(spec)
  const brings = steps.map((step) => {
    const found = new Set<string>()
    const open = [...step.emits]
    for (let tag = open.pop(); tag !== undefined; tag = open.pop()) {
      if (found.has(tag) || !scopeless.has(tag)) continue
      found.add(tag)
      for (const to of acceptors(tag)) if (runsInNoScope(steps[to]!, scopeless)) open.push(...steps[to]!.emits)
    }
    return found
  })
  return {
    comesOfInputs: (tag, none) => (none ? scopeless : free).has(tag),
    runsOfInputs: (step) => runs.has(step),
    brings: (step) => brings[step]!,
    after: (step, closed) => walk(next[step]!, closed),
    acceptors,
    upstream: (step) => upstream[step]!,
    arming: (step) => arming[step]!,
    leadsWithin,
    inCircle: (step, tag) => acceptors(tag).some((to) => to === step || reach[to]!.has(step)),
    distance: (step) => distance[step]!,
    isOpener: (tag) => openers.has(tag),
    fed: (step) => fed.has(step),
    insideOf: insideOf(spec)
  }
}

/** A join needs all of its types, everything else one of them. */
const ofInputs = (spec: Spec): { readonly free: ReadonlySet<string>; readonly runs: ReadonlySet<number> } => {
  const free = new Set(spec.inputs?.tags)
  const runs = new Set<number>()
  for (let known = -1; known < free.size + runs.size; ) {
    known = free.size + runs.size
    spec.steps.forEach(({ accepts: { kind, of }, emits }, i) => {
      if (kind === "join" ? !of.every((tag) => free.has(tag)) : !of.some((tag) => free.has(tag))) return
      runs.add(i)
      for (const tag of emits) free.add(tag)
    })
  }
  return { free, runs }
}

/** Whether events in no scope alone can make the step run, which then runs in no scope, too. */
const runsInNoScope = ({ accepts: { kind, of, per } }: StepSpec, scopeless: ReadonlySet<string>): boolean => {
  if (kind === "gather" || kind === "race" || per !== undefined) return false
  return kind === "join" ? of.every((tag) => scopeless.has(tag)) : of.some((tag) => scopeless.has(tag))
}

/** The types of which there can be an event in no scope. */
const scopelessTags = (spec: Spec): ReadonlySet<string> => {
  const openers = new Set(spec.steps.flatMap((step) => step.accepts.per ?? []))
  const scopeless = new Set(spec.inputs?.tags.filter((tag) => !openers.has(tag)))
  for (let known = -1; known < scopeless.size; ) {
    known = scopeless.size
    for (const step of spec.steps) {
      if (runsInNoScope(step, scopeless)) for (const tag of step.emits) if (!openers.has(tag)) scopeless.add(tag)
    }
  }
  return scopeless
}

/** The types whose events are all in no scope. */
const onlyScopeless = (spec: Spec): ReadonlySet<string> => {
  const only = new Set(scopelessTags(spec))
  only.delete(spec.start)
  for (let known = -1; known !== only.size; ) {
    known = only.size
    for (const step of spec.steps) {
      const stays = runsInNoScope(step, only) && step.accepts.of.every((tag) => only.has(tag))
      if (!stays) for (const tag of step.emits) only.delete(tag)
    }
  }
  return only
}

/** The greatest solution: start with "inside everything" and remove what some emission contradicts. */
const insideOf = (spec: Spec): ((tag: string) => ReadonlySet<string>) => {
  const outside = [spec.start, ...(spec.inputs?.tags ?? [])]
  const tags = [...new Set([...outside, ...spec.steps.flatMap((step) => step.emits)])]
  const scopeless = onlyScopeless(spec)
  const inside = new Map<string, ReadonlySet<string>>(tags.map((tag) => [tag, new Set(tags)]))
  inside.set(spec.start, new Set([spec.start]))
  const common = (sets: ReadonlyArray<ReadonlySet<string>>): ReadonlySet<string> =>
    new Set(tags.filter((tag) => sets.length > 0 && sets.every((set) => set.has(tag))))
  const insideOfRun = ({ kind, of, per, within }: Accepts): ReadonlySet<string> => {
    if (per !== undefined) return new Set([...(inside.get(per) ?? []), per])
    // An event in no scope, joined with one that must come, makes a descendant of that one.
    const scoped = of.filter((tag) => !scopeless.has(tag))
    if ((kind === "join" || kind === "hand") && scoped.length < of.length) {
      return scoped.length === 1 && within === undefined ? (inside.get(scoped[0]!) ?? new Set()) : new Set()
    }
    // A join without `per` may take its events from anywhere.
    return kind === "each" || kind === "hand"
      ? common(of.map((tag) => inside.get(tag) ?? new Set<string>()))
      : new Set()
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const tag of tags) {
      const ways = spec.steps.filter((step) => step.emits.includes(tag)).map((step) => insideOfRun(step.accepts))
      if (outside.includes(tag)) ways.push(new Set())
      const now = new Set([...common(ways), tag])
      if (now.size !== inside.get(tag)!.size) {
        inside.set(tag, now)
        changed = true
      }
    }
  }
  return (tag) => inside.get(tag) ?? new Set()
}

// ---------------------------------------------------------------- readable

/** One line per step, for the message of a failing test. */
export const show = (spec: Spec): string =>
  [
    ...(spec.inputs === undefined
      ? []
      : [
          `inputs [${spec.inputs.tags.join()}]: ${spec.inputs.sends.map(({ tag, after }) => `${tag} after ${after}, `).join("")}closed after ${spec.inputs.closes}`
        ]),
    `start ${spec.start}, stop ${spec.stops.join(" | ")}, outputs [${spec.outputs.join()}], fuel ${spec.fuel}, seed ${spec.seed}`,
    ...spec.steps.map((step) => {
      const { kind, of, count, per, by, within } = step.accepts
      const options = [
        count === undefined ? "" : `, ${count}`,
        per === undefined ? "" : `, per ${per}`,
        by === undefined ? "" : ", by key",
        within === undefined ? "" : `, within ${within}`
      ]
      const accepts = kind === "each" ? of.join(" | ") : `${kind}([${of.join()}]${options.join("")})`
      const fan = step.fan === "all" ? "all" : step.fan.join("..")
      const fails = step.fails === 0 ? "" : `, fails ${step.fails} ${step.failure}`
      const time = `${step.slow === 0 ? "" : `, slow ${step.slow}`}${step.cleanup === 0 ? "" : `, cleanup ${step.cleanup}`}`
      const asks =
        step.asks === undefined
          ? ""
          : `, asks ${step.asks.count} [${step.asks.of.join()}]${step.asks.together ? " at once" : ""}${step.asks.byKey ? " by key" : ""}`
      return `  ${step.name}: ${accepts} -> ${fan} of [${step.emits.join()}], ${step.form}, workers ${step.workers}${time}${fails}${asks}${step.streams ? ", streams" : ""}`
    })
  ].join("\n")
