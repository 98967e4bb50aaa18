/**
 * What descends from one event, and what its intakes wait for there.
 */
import type { AnyEvent } from "../../../Event.ts"
import type { Graph, Group, Node, Quiet } from "../../graph/graph.ts"
import { Heap } from "./heap.ts"
import type { Place } from "./position.ts"
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
  /** Whether anything has happened that belongs to its next round; its scope is in use until that has come. */
  armed = false
  /** Whether a race has been run. */
  decided = false
  /** How many rounds a gather has had. */
  rounds = 0
  /** Where a gather or race stands that runs with nothing: after all of its scope, as long as something can come to it. */
  end: Place | undefined
  /** How many events had come to its group at its last round. */
  come = 0
  /** Whether its group has it among those that are armed, or have been. */
  queued = false
  readonly quiet: Quiet
  readonly group: GroupWatch

  constructor(quiet: Quiet, group: GroupWatch) {
    this.quiet = quiet
    this.group = group
  }

  get scope(): Scope {
    return this.group.scope
  }

  arm(): void {
    if (this.armed || this.decided || !this.quiet.waits) return
    this.armed = true
    const { scope } = this
    scope.use()
    for (const reach of scope.reaches(this.quiet.node)) reach.hold(this, (race) => this.drop(race))
    this.group.queue(this)
  }

  disarm(): void {
    if (!this.armed) return
    this.armed = false
    const { scope } = this
    for (const reach of scope.reaches(this.quiet.node)) reach.letGo(this)
    scope.letGo()
  }

  /** A race runs once. */
  decide(): void {
    this.decided = true
    this.disarm()
  }

  /** Lets its place go, as nothing can come to it any more. */
  leavePlace(): void {
    this.end?.release()
    this.end = undefined
  }

  /** On the way to a race that has been decided, it has no other round. */
  private drop(race: Quiet): void {
    if (race !== this.quiet) this.disarm()
  }
}

const firesBefore = (a: Watch, b: Watch): boolean => a.quiet.index < b.quiet.index

/** What the intakes of one group wait for in one scope. */
export class GroupWatch {
  /** What is in flight upstream: each group before this one, and each scope inside that has the group too, counted as one. */
  inFlight = 0
  readonly group: Group
  readonly scope: Scope
  readonly members: ReadonlyArray<Watch>
  /** What a race has to call off. */
  readonly reach: Reach<Flight> | undefined
  /** The same group's in the scope around, where the event that opens its scopes is nested in itself. */
  private outer: GroupWatch | undefined
  /** Whether it holds back those that cannot be quiet before it is: the one in the scope around, and the next groups. */
  private holds = false
  /** How many events have come to steps that lead to it. */
  private come = 0
  /** Whether those that it holds back have still to hear of that: they do once this one is quiet, however many they are. */
  private news = false
  /** Of several members, those that are armed, or have been: if an event has come since their last round, and if none has. */
  private readonly fresh: Heap<Watch> | undefined
  private stale: Array<Watch> | undefined

  constructor(group: Group, scope: Scope) {
    this.group = group
    this.scope = scope
    this.outer = scope.parent?.groupOf(group)
    this.members = group.members.map((quiet) => new Watch(quiet, this))
    if (group.members.length > 1) this.fresh = new Heap(firesBefore)
    if (group.raced) {
      const next = group.next.flatMap(({ index }) => scope.groups[index]!.reach ?? [])
      this.reach = new Reach(next, this.outer?.reach)
    }
  }

  /** An event has come to a step that leads to it. */
  hear(): void {
    this.come++
    this.news = true
    if (this.stale === undefined) return
    for (const watch of this.stale) this.fresh!.add(watch)
    this.stale = undefined
  }

  /** A member has been armed. */
  queue(watch: Watch): void {
    if (this.fresh === undefined || watch.queued) return
    watch.queued = true
    if (watch.come < this.come) this.fresh.add(watch)
    else {
      this.stale ??= []
      this.stale.push(watch)
    }
  }

  /**
   * Now that it is quiet: the member that has a round to come, the first of them. Without an event there is no other round, as
   * two gathers in a circle would wake each other with nothing for ever.
   */
  get next(): Watch | undefined {
    const { fresh } = this
    if (fresh === undefined) {
      const only = this.members[0]!
      if (only.come === this.come) only.disarm()
      return only.armed ? only : undefined
    }
    if (this.stale !== undefined) {
      for (const watch of this.stale) {
        watch.queued = false
        watch.disarm()
      }
      this.stale = undefined
    }
    for (let watch = fresh.first; watch !== undefined; watch = fresh.first) {
      if (watch.armed) return watch
      fresh.take()!.queued = false
    }
    return undefined
  }

  /** Takes out the first member that has a round to come. */
  take(): Watch | undefined {
    const { next } = this
    if (next === undefined) return undefined
    this.fresh?.take()
    next.queued = false
    next.disarm()
    next.come = this.come
    return next
  }

  enter(): void {
    this.inFlight++
    if (this.holds) return
    this.holds = true
    if (this.holdsNone) return
    const held = this.held()
    for (const watch of held) {
      watch.inFlight++
      if (watch.holds) continue
      watch.holds = true
      held.push(...watch.held())
    }
  }

  /** Now that it is quiet and has no round to come: lets go what it holds back. Gives what is then quiet, too. */
  letGo(): ReadonlyArray<GroupWatch> | undefined {
    if (!this.holds) return undefined
    const { news } = this
    this.holds = false
    this.news = false
    if (this.holdsNone) return undefined
    return this.held().filter((watch) => {
      if (news) watch.hear()
      return --watch.inFlight === 0
    })
  }

  /** Takes the place of the one around it, whose scope is bypassed. */
  bypass(outer: GroupWatch): void {
    this.outer = outer.outer
    this.holds = outer.holds
    this.news ||= outer.news
    this.reach?.bypass(outer.reach!)
  }

  private get holdsNone(): boolean {
    return this.outer === undefined && this.group.next.length === 0
  }

  private held(): Array<GroupWatch> {
    const { groups } = this.scope
    const held = this.group.next.map(({ index }) => groups[index]!)
    if (this.outer !== undefined) held.push(this.outer)
    return held
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
  /** What is kept for this kind of scope: by the index of the group, and of the intake. */
  readonly groups: ReadonlyArray<GroupWatch>
  readonly watches: ReadonlyArray<Watch>

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
    const known = graph.groups[kind]!
    const groups = new Array<GroupWatch>(known.length)
    this.groups = groups
    const watches: Array<Watch> = new Array(graph.quiets[kind]!.length)
    // Each needs those behind it.
    for (let i = known.length - 1; i >= 0; i--) {
      groups[i] = new GroupWatch(known[i]!, this)
      for (const watch of groups[i]!.members) watches[watch.quiet.index] = watch
    }
    this.watches = watches
  }

  /** Gives what may run with nothing a place behind all that comes of the event that opens the scope, which is at `place`. */
  reserve(place: Place): void {
    for (const watch of this.watches) if (watch.quiet.waits) watch.end = place.after()
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
    for (const watch of this.watches) watch.leavePlace()
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
    for (const group of this.groups) younger.groups[group.group.index]!.bypass(group)
  }

  /** How a group stands in the nearest scope of its kind, if there is one around. */
  groupOf({ kind, index }: Group): GroupWatch | undefined {
    return this.owners[kind]?.groups[index]
  }

  /** What stands on the way to the races that a step leads to. */
  reaches({ raced }: Node): ReadonlyArray<Reach<Flight>> {
    // Hot: asked for each round of an intake, and few lead to a race.
    return raced.length === 0 ? [] : raced.flatMap((group) => this.groupOf(group)?.reach ?? [])
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
