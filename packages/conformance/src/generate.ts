// Random valid workflows, the same for the same seed, and smaller ones like a given one, to make a failure readable.
import {
  type Accepts,
  askedTags,
  type Form,
  factsOf,
  type Inputs,
  type Spec,
  type StepSpec,
  synchronous
} from "./spec.ts"

/** A small generator of pseudo-random choices (mulberry32). */
const choices = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n: number): number => Math.floor(next() * n)
  const oneOf = <A>(list: ReadonlyArray<A>): A => list[below(list.length)]!
  return {
    below,
    oneOf,
    chance: (share: number): boolean => next() < share,
    some: <A>(list: ReadonlyArray<A>, most: number): ReadonlyArray<A> => {
      const left = [...list]
      const taken: Array<A> = []
      for (let n = 1 + below(most); n > 0 && left.length > 0; n--) taken.push(...left.splice(below(left.length), 1))
      return taken
    },
    weighted: <A extends string>(weights: Partial<Record<A, number>>): A => {
      const entries = Object.entries(weights) as Array<[A, number]>
      let at = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [value, weight] of entries) if ((at -= weight) < 0) return value
      return entries[0]![0]
    }
  }
}
type Choices = ReturnType<typeof choices>

export interface Options {
  readonly intakes: Partial<Record<Accepts["kind"], number>>
  readonly forms: Partial<Record<Form, number>>
  /** The share of steps that may fail. */
  readonly failing: number
  /** If true, one gather of the whole run feeds the only stop; otherwise any step may stop the run, or none. */
  readonly endsInGather: boolean
  /** For nested scopes: whether some of their work waits for an answer from outside. */
  readonly asks?: boolean
}

export const effectForms: Options["forms"] = { value: 30, generator: 8, send: 8, effect: 35, effectSend: 10, stream: 5 }
export const allForms: Options["forms"] = { ...effectForms, promise: 15, asyncGenerator: 15 }

/** Only intakes whose result does not depend on arrival order, unless they get a surplus. */
export const confluent: Options = {
  intakes: { each: 55, gather: 30, join: 8, collect: 7 },
  forms: effectForms,
  failing: 0.1,
  endsInGather: true
}
export const everything: Options = {
  intakes: { each: 50, gather: 15, join: 12, collect: 9, race: 9, hand: 5 },
  forms: effectForms,
  failing: 0.15,
  endsInGather: false
}

/** Mostly gathers and races, to test which holds back which, and which goes first. */
export const waiting: Options = {
  ...everything,
  intakes: { each: 25, gather: 45, race: 20, join: 4, collect: 4, hand: 2 }
}
/** Mostly joins and collects, which may have deadlines. */
export const joining: Options = {
  ...everything,
  intakes: { each: 33, join: 25, collect: 18, gather: 11, race: 11, hand: 2 }
}
/** Mostly gathers that wait for answers. */
export const asking: Options = { ...confluent, failing: 0, intakes: { each: 50, gather: 40, join: 10 }, asks: true }
export const gathering: Options = { ...confluent, intakes: { each: 30, gather: 60, join: 5, collect: 5 } }

// ---------------------------------------------------------------- any shape

/** A chain of steps, each fed by existing types; some emit types that lead back. */
export const anyShape = (seed: number, options: Options): Spec => {
  const random = choices(seed)
  const steps: Array<StepSpec> = []
  const tags = ["Start"]
  const accepted = new Set<string>()
  const stopShare = options.endsInGather ? 0 : 0.12
  for (let n = 2 + random.below(7); n > 0; n--) {
    // A workflow that begins with an intake often ends at once.
    const begins = steps.length === 0 && random.chance(0.8)
    const accepts = begins ? ({ kind: "each", of: [...tags] } as const) : randomAccepts(random, options, tags, accepted)
    for (const tag of accepts.of) accepted.add(tag)
    const emits = new Set<string>()
    for (let k = 1 + random.below(3); k > 0; k--) {
      const back = tags.length > 1 && random.chance(0.35)
      const tag = back ? random.oneOf(tags.slice(1)) : `E${tags.length}`
      emits.add(tag)
      if (!back) tags.push(tag)
    }
    if (random.chance(stopShare)) emits.add("Stop")
    steps.push(randomStep(random, options, `s${steps.length}`, accepts, [...emits]))
  }
  return finished(random, options, seed, steps, tags, accepted)
}

/** Gathers and races in a row, each fed by the previous one, with paths around them and back: overlapping cycles. */
export const inRow = (seed: number, options: Options): Spec => {
  const random = choices(seed)
  const tags = ["Start", "E1"]
  const accepted = new Set(["Start"])
  const steps = [randomStep(random, options, "s0", { kind: "each", of: ["Start"] }, ["E1"])]
  for (let n = 2 + random.below(5); n > 0; n--) {
    const of = [tags.at(-1)!, ...(random.chance(0.3) ? [random.oneOf(tags.slice(1))] : [])]
    const accepts = randomAccepts(random, options, tags.slice(1), accepted, [...new Set(of)])
    for (const tag of accepts.of) accepted.add(tag)
    const emits = new Set([`E${tags.length}`])
    if (random.chance(0.4)) emits.add(random.oneOf(tags.slice(1)))
    if (!options.endsInGather && random.chance(0.1)) emits.add("Stop")
    tags.push(`E${tags.length}`)
    steps.push(randomStep(random, options, `s${steps.length}`, accepts, [...emits]))
  }
  return finished(random, options, seed, steps, tags, accepted)
}

/** Adds a last step for events that no other step accepts. */
const finished = (
  random: Choices,
  options: Options,
  seed: number,
  steps: Array<StepSpec>,
  tags: Array<string>,
  accepted: ReadonlySet<string>
): Spec => {
  const open = tags.filter((tag) => !accepted.has(tag))
  const emitted = tags.slice(1)
  const outputs = open.length > 1 && random.chance(0.3) ? [open.pop()!] : []
  const last = open.length > 0 ? open : [random.oneOf(emitted)]
  const accepts: Accepts = options.endsInGather
    ? { kind: "gather", of: last }
    : randomAccepts(random, options, last, new Set(), last)
  const finish = randomStep(random, options, "finish", accepts, ["Stop"])
  steps.push(
    options.endsInGather
      ? { ...finish, fan: "all", fails: 0 }
      : { ...finish, fan: random.oneOf(["all", [0, 1]] as const) }
  )
  return choosePer(random, {
    seed,
    fuel: random.below(4),
    start: "Start",
    stops: ["Stop"],
    outputs,
    steps
  })
}

const randomAccepts = (
  random: Choices,
  options: Options,
  tags: ReadonlyArray<string>,
  accepted: ReadonlySet<string>,
  all?: ReadonlyArray<string>
): Accepts => {
  const fresh = tags.filter((tag) => !accepted.has(tag))
  const of = all ?? random.some(fresh.length > 0 && random.chance(0.75) ? fresh : tags, 2)
  const kind = random.weighted(options.intakes)
  const by = random.chance(0.2) ? ({ by: true } as const) : {}
  switch (kind) {
    case "join":
      return { kind, of: of.length > 1 || random.chance(0.5) ? of : [...of, random.oneOf(tags)], ...by }
    case "collect":
      return { kind, of, count: 1 + random.below(3), ...by }
    case "race":
      return random.chance(0.5) ? { kind, of } : { kind, of, count: 1 + random.below(3) }
    case "hand":
      return { kind, of: of.length > 1 ? of : [...of, ...of] }
    default:
      return { kind, of }
  }
}

const fans = [
  [0, 1],
  [1, 1],
  [0, 2],
  [1, 2],
  [2, 2],
  [1, 3],
  [2, 3],
  [0, 3],
  [3, 3]
] as const

const randomStep = (
  random: Choices,
  options: Options,
  name: string,
  accepts: Accepts,
  emits: ReadonlyArray<string>
): StepSpec => {
  const form = random.weighted(options.forms)
  const sync = synchronous.has(form)
  // A second attempt would collect its event twice.
  const failing = accepts.kind !== "hand" && !(sync && options.endsInGather) && random.chance(options.failing)
  return {
    name,
    accepts,
    emits,
    fan: random.chance(0.4) ? "all" : random.oneOf(fans),
    workers: random.oneOf([1, 2, 3, 4, "unbounded"] as const),
    form,
    slow: sync ? 0 : random.oneOf([0, 20, 1000, 100000]),
    cleanup: !sync && random.chance(0.3) ? 5000 : 0,
    fails: failing ? random.oneOf([0.2, 0.5]) : 0,
    failure: sync ? "fatal" : random.oneOf(options.endsInGather ? ["recover"] : ["fatal", "retry", "recover"])
  }
}

/** Gives intakes a `per` if all their events are guaranteed to be inside one. */
const choosePer = (random: Choices, spec: Spec): Spec => {
  let chosen = spec
  spec.steps.forEach(({ accepts }, i) => {
    const last = i === spec.steps.length - 1
    if (accepts.kind === "each" || accepts.kind === "hand" || random.chance(0.35)) return
    if (last && accepts.kind === "gather") return
    const able = possiblePers(chosen, i)
    if (able.length > 0) chosen = withStep(chosen, i, { accepts: { ...accepts, per: random.oneOf(able) } })
  })
  return chosen
}

const possiblePers = (spec: Spec, step: number): ReadonlyArray<string> => {
  const { of } = spec.steps[step]!.accepts
  const { insideOf } = factsOf(spec)
  return [...insideOf(of[0]!)].filter((tag) => of.every((other) => insideOf(other).has(tag)))
}

const withStep = (spec: Spec, index: number, change: Partial<StepSpec>): Spec => ({
  ...spec,
  steps: spec.steps.map((step, i) => (i === index ? { ...step, ...change } : step))
})

// ---------------------------------------------------------------- docs, chunks, pages

/** Nested scopes: random blocks that take one type and emit one, with a gather of the run at the end. */
export const nested = (seed: number, options: Options): Spec => {
  const random = choices(seed)
  const steps: Array<StepSpec> = []
  let tags = 0
  const newTag = () => `E${++tags}`
  const add = (accepts: Accepts, emits: ReadonlyArray<string>, change: Partial<StepSpec>) => {
    steps.push({ ...randomStep(random, options, `s${steps.length}`, accepts, emits), ...change })
  }
  const each = (tag: string): Accepts => ({ kind: "each", of: [tag] })

  /** Adds steps that turn each event of a type into events of the returned type; into exactly one, if `one`. */
  const block = (from: string, depth: number, one: boolean): string => {
    const out = newTag()
    const asks = options.asks === true ? 4 : 0
    const kind =
      depth === 0
        ? "leaf"
        : random.weighted({ leaf: 1, chain: 1, branch: 2, fan: 4, count: 1, loop: 1, ask: asks, first: asks / 4 })
    switch (kind) {
      case "first": {
        const item = newTag()
        add(each(from), [item], { fan: [1, 3] })
        const take = random.chance(0.5) ? {} : { count: 2 }
        add({ kind: "race", of: [block(item, depth - 1, false)], per: from, ...take }, [out], { fan: "all", fails: 0 })
        return out
      }
      case "ask": {
        const of = [block(from, depth - 1, one), answer()]
        // An event that may not come, so that an answer is of no use.
        if (random.chance(0.25)) of.push(block(from, 0, false))
        const by = random.chance(0.6) ? ({ by: true } as const) : {}
        const change = { fan: one ? ("all" as const) : random.oneOf(fans), fails: 0 }
        add(random.chance(0.8) ? { kind: "join", of, ...by } : { kind: "hand", of }, [out], change)
        return out
      }
      case "chain":
        return block(block(from, depth - 1, one), depth - 1, one)
      case "branch": {
        const both = [block(from, depth - 1, one), block(from, depth - 1, one)]
        add({ kind: one && random.chance(0.6) ? "join" : "gather", of: both, per: from }, [out], { fan: "all" })
        return out
      }
      case "fan": {
        const item = newTag()
        add(each(from), [item], {
          fan: random.oneOf([
            [0, 1],
            [0, 2],
            [0, 3],
            [1, 3],
            [2, 4]
          ] as const)
        })
        add({ kind: "gather", of: [block(item, depth - 1, false)], per: from }, [out], { fan: "all" })
        return out
      }
      case "count": {
        const item = newTag()
        const count = 1 + random.below(3)
        add(each(from), [item], { fan: [count, count] })
        add({ kind: "collect", of: [block(item, depth - 1, true)], count, per: from }, [out], { fan: "all" })
        return out
      }
      case "loop":
        // Without fuel, only `out` can be emitted.
        add(each(from), [from, out], { fan: [1, 1] })
        return out
      default:
        add(each(from), [out], { fan: one ? "all" : random.oneOf(fans) })
        return out
    }
  }
  const answers = ["Yes", "No"]
  /** The input itself, or an event that a slow step makes of it. */
  function answer(): string {
    const sent = random.oneOf(answers)
    if (random.chance(0.5)) return sent
    const checked = newTag()
    add(each(sent), [checked], { fan: "all", form: "effect", slow: 20_000, fails: 0 })
    return checked
  }
  const out = block("Start", 1 + random.below(3), false)
  add({ kind: "gather", of: [out] }, ["Stop"], { fan: "all", fails: 0, name: "finish" })
  const spec: Spec = { seed, fuel: random.below(3), start: "Start", stops: ["Stop"], outputs: [], steps }
  const asked = answers.filter((tag) => steps.some(({ accepts }) => accepts.of.includes(tag)))
  if (asked.length === 0) return spec
  const after = () => random.oneOf([0, 20, 1000, 100000])
  const sends = Array.from({ length: random.below(8) }, () => ({ tag: random.oneOf(asked), after: after() }))
  return inRun({ ...spec, inputs: { tags: asked, sends, closes: after() } })
}

// ---------------------------------------------------------------- from outside, and in time

/** The same workflow with events from outside, of an existing type, or of a new one that a step accepts as well. */
export const withInputs = (spec: Spec): Spec => {
  const random = choices(spec.seed ^ 0x2545f491)
  const emitted = [...new Set(spec.steps.flatMap(({ accepts }) => accepts.of))].filter((tag) => tag !== spec.start)
  const known = emitted.length > 0 && random.chance(0.6) ? random.some(emitted, 2) : []
  const fresh = known.length === 0 || random.chance(0.5)
  const tags = [...new Set([...known, ...(fresh ? ["Input"] : [])])]
  const open = fresh ? random.below(spec.steps.length) : -1
  const steps = spec.steps.map((step, i) =>
    i === open ? { ...step, accepts: { ...step.accepts, of: [...step.accepts.of, "Input"] } } : step
  )
  // Some steps are reached only by events from outside.
  if (fresh && emitted.length > 0 && random.chance(0.5)) {
    const { accepts } = steps[open]!
    const of = accepts.of.filter((tag) => tag !== "Input")
    steps[open] = { ...steps[open]!, accepts: { ...accepts, of } }
    const kind = random.oneOf(["each", "gather"] as const)
    steps.unshift({
      ...spec.steps[open]!,
      name: "outside",
      accepts: { kind, of: ["Input"] },
      emits: [random.oneOf(emitted)]
    })
  }
  const after = () => random.oneOf([0, 20, 1000, 100000])
  const sends = Array.from({ length: random.below(5) }, () => ({ tag: random.oneOf(tags), after: after() }))
  return inRun({ ...spec, steps, inputs: { tags, sends, closes: after() } })
}

/**
 * The same workflow with steps that ask what comes from outside, and with outputs that are heard at once. With `once`, only a step
 * that begins the run asks, so that no two calls wait for the same answers.
 */
export const withAsks = (spec: Spec, once = false): Spec => {
  const random = choices(spec.seed ^ 0x51ed270b)
  const tags = random.chance(0.5) ? ["Yes"] : ["Yes", "No"]
  const begins = ({ accepts }: StepSpec) => accepts.kind === "each" && accepts.of.join() === spec.start
  const asking = once ? [spec.steps.findIndex(begins)] : random.some([...spec.steps.keys()], 2)
  const accepting = random.chance(0.3) && !once ? random.below(spec.steps.length) : -1
  const steps = spec.steps.map((step, i): StepSpec => {
    const { accepts } = step
    const also =
      i === accepting && accepts.kind === "each" ? { accepts: { ...accepts, of: [...accepts.of, "Yes"] } } : {}
    const streams = random.chance(0.3) ? ({ streams: true } as const) : {}
    if (!asking.includes(i)) return { ...step, ...also, ...streams }
    const fails = accepts.kind !== "hand" && random.chance(0.5) ? random.oneOf([0.2, 0.5]) : 0
    const count = random.oneOf([1, 1, 2, 3])
    return {
      ...step,
      ...also,
      ...streams,
      workers: random.oneOf([1, 1, 2, "unbounded"] as const),
      form: random.oneOf(["effect", "effect", "effectSend", "promise"] as const),
      slow: random.oneOf([0, 20, 1000]),
      cleanup: random.chance(0.3) ? 5000 : 0,
      fails,
      failure: random.oneOf(["fatal", "retry", "recover"] as const),
      asks: { of: random.some(tags, 2), count, together: random.chance(0.5), byKey: random.chance(0.5) }
    }
  })
  const { inputs } = spec
  const known = [...askedTags({ ...spec, steps })]
  const also = steps.some(({ accepts }) => accepts.of.includes("Yes")) ? ["Yes"] : []
  const after = () => random.oneOf([0, 20, 1000, 100000])
  const many = known.length === 0 ? 0 : random.below(9)
  const answers = Array.from({ length: many }, () => ({ tag: random.oneOf(known), after: after() }))
  const all = [...new Set([...(inputs?.tags ?? []), ...known, ...also])]
  return inRun({
    ...spec,
    steps,
    inputs: { tags: all, sends: [...(inputs?.sends ?? []), ...answers], closes: after() }
  })
}

/** Events from outside are in no scope, and neither is a round of only them: an intake that they can reach is the run's. */
const inRun = (spec: Spec): Spec => {
  const wrong = spec.steps.findIndex(
    ({ accepts: { per } }, i) => per !== undefined && !possiblePers(spec, i).includes(per)
  )
  if (wrong < 0) return spec
  const { per: _, ...accepts } = spec.steps[wrong]!.accepts
  return inRun(withStep(spec, wrong, { accepts }))
}

/** The same workflow with deadlines for most of its joins and collects. */
export const withDeadlines = (spec: Spec): Spec => {
  const random = choices(spec.seed ^ 0x9e3779b9)
  const steps = spec.steps.map((step) => {
    const { kind } = step.accepts
    const timed = (kind === "join" || kind === "collect") && random.chance(0.8)
    return timed ? { ...step, accepts: { ...step.accepts, within: random.oneOf([0, 1, 500, 20_000]) } } : step
  })
  return inRun({ ...spec, steps })
}

const withoutDeadline = ({ within: _, ...accepts }: Accepts): Accepts => accepts

const withoutTags = (inputs: Inputs | undefined, keep: (tag: string) => boolean): Pick<Spec, "inputs"> => {
  const tags = inputs?.tags.filter(keep) ?? []
  return tags.length === 0 ? {} : { inputs: { ...inputs!, tags, sends: inputs!.sends.filter(({ tag }) => keep(tag)) } }
}

// ---------------------------------------------------------------- valid, and smaller

/** The conditions that `workflow()` checks. */
export const isValid = (spec: Spec): boolean => {
  const { acceptors } = factsOf(spec)
  const come = comingTypes(spec)
  return (
    acceptors(spec.start).length > 0 &&
    spec.stops.every((stop) => come.has(stop)) &&
    spec.outputs.every((output) => come.has(output)) &&
    (spec.inputs?.tags ?? []).every((input) => acceptors(input).length > 0 || askedTags(spec).has(input)) &&
    [...askedTags(spec)].every((asked) => spec.inputs?.tags.includes(asked)) &&
    spec.steps.every(
      ({ accepts, emits }, i) =>
        accepts.of.length > 0 &&
        accepts.of.every((tag) => come.has(tag) && !spec.stops.includes(tag)) &&
        emits.every((tag) => spec.stops.includes(tag) || spec.outputs.includes(tag) || acceptors(tag).length > 0) &&
        (accepts.per === undefined || possiblePers(spec, i).includes(accepts.per))
    )
  )
}

/** The types of which an event can ever come: a join needs all of its types, any other step one of them. */
const comingTypes = (spec: Spec): ReadonlySet<string> => {
  const come = new Set([spec.start, ...(spec.inputs?.tags ?? [])])
  for (let known = 0; known < come.size; ) {
    known = come.size
    for (const { accepts, emits } of spec.steps) {
      const runs =
        accepts.kind === "join" ? accepts.of.every((tag) => come.has(tag)) : accepts.of.some((tag) => come.has(tag))
      if (runs) for (const tag of emits) come.add(tag)
    }
  }
  return come
}

/** Slightly smaller specs, boldest cuts first. */
function* smaller(spec: Spec): Generator<Spec> {
  for (const [i] of spec.steps.entries())
    yield repaired({ ...spec, steps: spec.steps.filter((_, other) => other !== i) })
  for (const [i, step] of spec.steps.entries()) {
    const { accepts } = step
    for (const tag of step.emits)
      yield repaired(withStep(spec, i, { emits: step.emits.filter((other) => other !== tag) }))
    if (accepts.of.length > 1) {
      for (const at of accepts.of.keys()) {
        yield repaired(
          withStep(spec, i, { accepts: { ...accepts, of: accepts.of.filter((_, other) => other !== at) } })
        )
      }
    }
    if (accepts.kind !== "each") yield withStep(spec, i, { accepts: { kind: "each", of: [...new Set(accepts.of)] } })
    if (accepts.within !== undefined) yield withStep(spec, i, { accepts: withoutDeadline(accepts) })
    const { per: _per, by: _by, ...rest } = accepts
    if (accepts.per !== undefined || accepts.by !== undefined) yield withStep(spec, i, { accepts: rest })
    if ((accepts.count ?? 1) > 1) yield withStep(spec, i, { accepts: { ...accepts, count: accepts.count! - 1 } })
    if (step.fails > 0) yield withStep(spec, i, { fails: 0 })
    const { asks, streams, ...plain } = step
    const changed = (other: StepSpec) => ({ ...spec, steps: spec.steps.map((step, at) => (at === i ? other : step)) })
    if (asks !== undefined) {
      yield repaired(changed({ ...plain, ...(streams && { streams }) }))
      if (asks.count > 1) yield withStep(spec, i, { asks: { ...asks, count: asks.count - 1 } })
      if (asks.together) yield withStep(spec, i, { asks: { ...asks, together: false } })
      if (asks.byKey) yield withStep(spec, i, { asks: { ...asks, byKey: false } })
    }
    if (streams) yield changed({ ...plain, ...(asks && { asks }) })
    if (step.fan !== "all") yield withStep(spec, i, { fan: "all" })
    if (step.fan !== "all" && step.fan[1] > step.fan[0]) {
      yield withStep(spec, i, { fan: [step.fan[0], step.fan[0]] })
      yield withStep(spec, i, { fan: [step.fan[1], step.fan[1]] })
    }
    if (step.cleanup > 0) yield withStep(spec, i, { cleanup: 0 })
    if (step.slow > 0) yield withStep(spec, i, { slow: 0 })
    if (step.form !== "value" && step.form !== "effect") yield withStep(spec, i, { form: "effect" })
    if (step.form !== "value" && asks === undefined)
      yield withStep(spec, i, { form: "value", slow: 0, cleanup: 0, failure: "fatal" })
    if (step.workers !== "unbounded") yield withStep(spec, i, { workers: "unbounded" })
  }
  const { inputs, ...alone } = spec
  if (inputs !== undefined) {
    yield repaired(alone)
    for (const at of inputs.sends.keys())
      yield { ...spec, inputs: { ...inputs, sends: inputs.sends.filter((_, other) => other !== at) } }
  }
  if (spec.fuel > 0) yield { ...spec, fuel: spec.fuel - 1 }
  if (spec.outputs.length > 0) yield repaired({ ...spec, outputs: [] })
}

/** Removes types that are no longer emitted or accepted, and steps without types. */
const repaired = (spec: Spec): Spec => {
  const outside = spec.inputs?.tags ?? []
  const made = new Set([spec.start, ...outside, ...spec.steps.flatMap((step) => step.emits)])
  const taken = new Set([...spec.stops, ...spec.outputs, ...spec.steps.flatMap((step) => step.accepts.of)])
  const steps = spec.steps
    .map((step) => ({
      ...step,
      emits: step.emits.filter((tag) => taken.has(tag)),
      accepts: { ...step.accepts, of: step.accepts.of.filter((tag) => made.has(tag)) }
    }))
    .filter((step) => step.accepts.of.length > 0)
  const outputs = spec.outputs.filter((tag) => made.has(tag))
  const { inputs, ...alone } = spec
  const accepted = new Set(steps.flatMap((step) => [...step.accepts.of, ...(step.asks?.of ?? [])]))
  const smaller = { ...alone, outputs, steps, ...withoutTags(inputs, (tag) => accepted.has(tag)) }
  return JSON.stringify(smaller) === JSON.stringify({ ...alone, ...(inputs && { inputs }) }) ? spec : repaired(smaller)
}

/** Shrinks a spec greedily while it still fails. */
export const shrink = async (spec: Spec, stillFails: (spec: Spec) => Promise<boolean>): Promise<Spec> => {
  for (const candidate of smaller(spec)) {
    if (isValid(candidate) && (await stillFails(candidate))) return shrink(candidate, stillFails)
  }
  return spec
}
