/**
 * What descends from one event, and when it has gone quiet.
 *
 * A scope keeps, for each `gather` and `race` that is kept for its kind, how much is in flight at the steps upstream of it.
 * Emissions are delivered before the invocation that made them is counted out, so the count reaches 0 only when no event
 * can come any more.
 */
import type { AnyEvent } from "../../Event.ts"
import type { Graph, Node, Quiet } from "../graph/graph.ts"
import type { Place } from "./place.ts"
import { Reach } from "./reach.ts"

/** Something on its way to a step, or at work there. */
export interface Flight {
  readonly node: Node
  readonly scope: Scope
  /** Whether it is at work already. */
  readonly underWay: boolean
  /** Calls it off, because a race that it was upstream of has been decided. */
  cancel(): void
}

/** How things stand for one `gather` or `race` in one scope. */
export class Watch {
  /** What is in flight upstream, each scope inside that belongs to the same intake counted as one. */
  inFlight = 0
  /** Whether anything has happened that belongs to its next round; its scope is in use until that has come. */
  armed = false
  /** Whether an event has come to a step that leads to it since its last round: without one there is no other round. */
  fresh = false
  /** Whether the scope around has still to hear of that: it does once this one goes quiet, however deep the nesting. */
  private news = false
  /** Whether a race that it leads to has been decided, and has dropped what it held. */
  dropped = false
  /** Whether a race has been run. */
  decided = false
  /** How many rounds a gather has had. */
  rounds = 0
  /** Where a gather or race stands that runs with nothing: after all of its scope, as long as something can come to it. */
  end: Place | undefined
  readonly quiet: Quiet
  readonly scope: Scope
  /** The same intake's in the scope around, where the event that opens its scopes is nested in itself. */
  private outer: Watch | undefined
  private holdsOuter = false
  /** What a race has to call off. */
  readonly reach: Reach<Flight> | undefined

  constructor(quiet: Quiet, scope: Scope) {
    this.quiet = quiet
    this.scope = scope
    this.outer = scope.parent?.owners[quiet.kind]?.watches[quiet.index]
    this.reach = quiet.node.intake?.kind === "race" ? new Reach(this.outer?.reach) : undefined
  }

  come(): void {
    this.fresh = true
    this.news = true
  }

  arm(): void {
    if (this.armed || this.decided) return
    this.armed = true
    this.scope.use()
  }

  disarm(): void {
    if (!this.armed) return
    this.armed = false
    this.scope.letGo()
  }

  /** A race runs once. */
  decide(): void {
    this.decided = true
    this.disarm()
  }

  enter(arms: boolean): void {
    if (arms) this.arm()
    this.inFlight++
    let watch: Watch = this
    while (watch.outer !== undefined && !watch.holdsOuter) {
      watch.holdsOuter = true
      watch = watch.outer
      watch.inFlight++
    }
  }

  /** Lets the scope around go quiet, now that this one has; gives its watch where that is quiet too. */
  leaveOuter(): Watch | undefined {
    if (this.outer === undefined || !this.holdsOuter) return undefined
    this.holdsOuter = false
    if (this.news) this.outer.come()
    this.news = false
    return --this.outer.inFlight === 0 ? this.outer : undefined
  }

  /** Lets its place go, as nothing can come to it any more. */
  leavePlace(): void {
    this.end?.release()
    this.end = undefined
  }

  /** Takes the place of the watch around it, whose scope is bypassed. */
  bypass(outer: Watch): void {
    this.outer = outer.outer
    this.holdsOuter = outer.holdsOuter
    this.news ||= outer.news
    this.reach?.bypass(outer.reach!)
  }
}

export class Scope {
  readonly kind: number
  parent: Scope | undefined
  /** More than that of the scope around it. */
  readonly depth: number
  /** The event that opened it, with its id where the run is recorded; the run's own scope has none. */
  readonly opener: { readonly event: AnyEvent; readonly id: string | undefined } | undefined
  /** The nearest scope of each kind around what is inside, this one included. */
  readonly owners: Array<Scope | undefined>
  /** Those of the run that nothing uses any more, to be looked at. */
  readonly unused: Array<Scope>
  over = false
  private uses = 0
  /** Those directly inside of it that are not over; of the run's own scope they are not counted. */
  private readonly inner: Set<Scope> | undefined
  /** By the index of the intake; only those kept for this kind of scope have one. */
  readonly watches: ReadonlyArray<Watch | undefined>

  constructor(graph: Graph, kind: number, parent: Scope | undefined, opener: Scope["opener"]) {
    this.kind = kind
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.unused = parent === undefined ? [] : parent.unused
    this.inner = parent === undefined ? undefined : new Set()
    parent?.inner?.add(this)
    this.opener = opener
    if (graph.kinds.length === 1) this.owners = [this]
    else {
      const owners: Array<Scope | undefined> =
        parent === undefined ? graph.kinds.map(() => undefined) : [...parent.owners]
      owners[kind] = this
      this.owners = owners
    }
    const watches: Array<Watch | undefined> = []
    for (const quiet of graph.quiets) if (quiet.kind === kind) watches[quiet.index] = new Watch(quiet, this)
    this.watches = watches
  }

  /** Gives what may run with nothing a place behind all that comes of the event that opens the scope, which is at `place`. */
  reserve(place: Place): void {
    for (const watch of this.watches) {
      const { kind, single } = watch?.quiet.node.intake ?? {}
      if (kind === "gather" || (kind === "race" && !single)) watch!.end = place.after()
    }
  }

  /** Something happens in it, or may still: each use is to be let go. */
  use(): void {
    this.uses++
  }

  letGo(): void {
    if (--this.uses === 0 && this.parent !== undefined) this.unused.push(this)
  }

  /** The run's own scope always is. */
  get inUse(): boolean {
    return this.uses > 0 || this.parent === undefined
  }

  get empty(): boolean {
    return this.inner?.size === 0
  }

  /** The only scope that is directly inside of it, where there is just one. */
  get only(): Scope | undefined {
    if (this.inner?.size !== 1) return undefined
    const [only] = this.inner
    return only
  }

  /** Nothing can happen in it any more. */
  end(): void {
    this.over = true
    this.parent!.inner?.delete(this)
    for (const watch of this.watches) watch?.leavePlace()
  }

  /** Takes it out of the chain, where all that is alive in it is inside of one younger scope of its own kind. */
  bypass(younger: Scope): void {
    const { kind, parent } = this
    const only = this.only!
    this.end()
    parent!.inner?.add(only)
    only.parent = parent
    const around = parent!.owners[kind]
    for (let at = younger.parent!; at !== parent; at = at.parent!) at.owners[kind] = around
    for (const [index, watch] of this.watches.entries()) if (watch !== undefined) younger.watches[index]!.bypass(watch)
  }

  /** What stands on the way to each of some races around what is inside. */
  reaches(races: ReadonlyArray<Quiet>): ReadonlyArray<Reach<Flight>> {
    // Hot: asked for each round of a join, and few have any.
    return races.length === 0 ? [] : races.flatMap(({ kind, index }) => this.owners[kind]?.watches[index]?.reach ?? [])
  }

  /** The deepest scope that both are inside of. */
  static shared(a: Scope, b: Scope): Scope {
    let left = a
    let right = b
    while (left !== right) {
      if (left.depth >= right.depth) left = left.parent!
      else right = right.parent!
    }
    return left
  }
}

/** What is told of each intake of which everything upstream has gone quiet. */
export interface Quieted {
  quiet(watch: Watch): void
}

/** Counts what is in flight, and says which intakes have gone quiet. Each call costs O(1) for each intake downstream. */
export class Quietness {
  private readonly graph: Graph
  private readonly intakes: Quieted

  constructor(graph: Graph, intakes: Quieted) {
    this.graph = graph
    this.intakes = intakes
  }

  /** An event has come to a step, or to its intake. */
  come(node: Node, scope: Scope): void {
    for (const { quiet } of node.feeds) scope.owners[quiet.kind]?.watches[quiet.index]?.come()
  }

  enter(flight: Flight): void {
    flight.scope.use()
    for (const { quiet, arms } of flight.node.feeds) {
      const watch = flight.scope.owners[quiet.kind]?.watches[quiet.index]
      if (watch === undefined) continue
      watch.enter(arms)
      watch.reach?.enter(flight)
    }
  }

  /** A flight has ended, and what it emitted has been delivered. */
  leave(flight: Flight): void {
    const { owners } = flight.scope
    let quiet: Array<Watch> | undefined
    // All are counted down before any fires: what fires first may be work for the next.
    for (const feed of flight.node.feeds) {
      const watch = owners[feed.quiet.kind]?.watches[feed.quiet.index]
      if (watch === undefined) continue
      watch.reach?.leave(flight)
      if (--watch.inFlight === 0) {
        quiet ??= []
        quiet.push(watch)
      }
    }
    if (quiet !== undefined) this.fire(quiet)
    flight.scope.letGo()
  }

  /** Opens a scope, and keeps its intakes from firing while the event that opens it is delivered. */
  hold(scope: Scope): void {
    scope.use()
    for (const { index, opened } of this.graph.quiets) {
      const watch = scope.watches[index]
      if (watch === undefined) continue
      watch.enter(false)
      if (opened) watch.arm()
    }
  }

  release(scope: Scope): void {
    this.letGo(scope, () => true)
    scope.letGo()
  }

  /** Keeps what inputs can lead to from firing while they are open. */
  openInputs(root: Scope): void {
    for (const { index, fed } of this.graph.quiets) if (fed) root.watches[index]!.enter(false)
  }

  /** What inputs can lead to has a round now, with nothing where none has come: but not where a race wants it no more. */
  closeInputs(root: Scope): void {
    for (const { index, fed } of this.graph.quiets) {
      const watch = root.watches[index]
      if (!fed || watch === undefined || watch.dropped) continue
      watch.come()
      watch.arm()
    }
    this.letGo(root, ({ fed }) => fed)
  }

  /** The gathers that would fire if nothing more could come from inputs. */
  waitingForInputs(root: Scope): ReadonlyArray<Quiet> {
    return this.graph.quiets.filter(({ index, node, fed }) => {
      const watch = root.watches[index]
      return fed && node.intake?.kind === "gather" && watch?.armed === true && watch.inFlight === 1
    })
  }

  private letGo(scope: Scope, which: (quiet: Quiet) => boolean): void {
    const quiet: Array<Watch> = []
    for (const candidate of this.graph.quiets) {
      const watch = scope.watches[candidate.index]
      if (watch !== undefined && which(candidate) && --watch.inFlight === 0) quiet.push(watch)
    }
    this.fire(quiet)
  }

  /**
   * Fires what has gone quiet and has a round to fire for. The deepest scope goes first, as it may still emit to those
   * around it; in one scope the order of the graph decides.
   */
  private fire(quiet: Array<Watch>): void {
    let ready: Array<Watch> = []
    const over: Array<Watch> = []
    for (;;) {
      for (const watch of quiet) {
        if (watch.inFlight > 0) continue
        // Two gathers in a circle would otherwise wake each other with nothing for ever.
        if (!watch.fresh) watch.disarm()
        if (watch.armed) ready.push(watch)
        else {
          // What stays quiet lets the scope around it go first: that may have become ready, too.
          over.push(watch)
          const outer = watch.leaveOuter()
          if (outer !== undefined) quiet.push(outer)
        }
      }
      // What the last one has set in flight may keep others waiting.
      if (ready.length > 0) ready = ready.filter(({ inFlight, armed }) => inFlight === 0 && armed)
      if (ready.length === 0) break
      let next = ready[0]!
      for (const watch of ready) if (watch.scope.depth > next.scope.depth) next = watch
      ready.splice(ready.indexOf(next), 1)
      next.disarm()
      next.fresh = false
      this.intakes.quiet(next)
      // Where nothing came of it, it is as quiet as before.
      quiet = [next]
    }
    // Only now: one that has run may lead to another that was quiet.
    for (const watch of over) if (watch.inFlight === 0) watch.leavePlace()
  }
}
