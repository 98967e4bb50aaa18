/**
 * Everything that descends from one event, and the state of its intakes there.
 *
 * Longer than other modules: a scope and the groups that are watched in it are made of each other.
 */
import type { AnyEvent } from "../../../Event.ts"
import type { CompiledGraph, Group, Node, Quiescent } from "../../graph/graph.ts"
import { Heap } from "./heap.ts"
import type { Position } from "./position.ts"
import { Reach } from "./reach.ts"

/** Something on its way to a step, or in progress there. */
export interface Flight {
  readonly node: Node
  readonly scope: Scope
  /** Whether it is already in progress. */
  readonly underWay: boolean
  /** Cancels it, because a race downstream has been decided. */
  cancel(): void
}

/** The state of one `gather` or `race` in one scope. */
export class Watch {
  /** Whether its next round has begun; its scope is in use until that round has run. */
  armed = false
  /** Whether a race has run. */
  decided = false
  /** Number of rounds of a gather. */
  rounds = 0
  /** The position of an intake that runs with nothing: after all of its scope, while something can still come. */
  end: Position | undefined
  /** Number of events in its group at its last round. */
  come = 0
  /** Whether its group lists it as armed, now or before. */
  queued = false
  readonly quiescent: Quiescent
  readonly group: GroupWatch

  constructor(quiescent: Quiescent, group: GroupWatch) {
    this.quiescent = quiescent
    this.group = group
  }

  get scope(): Scope {
    return this.group.scope
  }

  arm(): void {
    if (this.armed || this.decided || !this.quiescent.waits) return
    this.armed = true
    const { scope } = this
    scope.use()
    for (const reach of scope.reaches(this.quiescent.node)) reach.hold(this, (race) => this.drop(race))
    this.group.queue(this)
  }

  disarm(): void {
    if (!this.armed) return
    this.armed = false
    const { scope } = this
    for (const reach of scope.reaches(this.quiescent.node)) reach.letGo(this)
    scope.letGo()
  }

  /** A race runs once. */
  decide(): void {
    this.decided = true
    this.scope.hasDecided = true
    this.disarm()
  }

  /** Releases its position: nothing more can come. */
  leavePosition(): void {
    this.end?.release()
    this.end = undefined
  }

  /** On the way to a decided race, it has no other round. */
  private drop(race: Quiescent): void {
    if (race !== this.quiescent) this.disarm()
  }
}

const firesBefore = (a: Watch, b: Watch): boolean => a.quiescent.index < b.quiescent.index

/** The state of the intakes of one group in one scope. */
export class GroupWatch {
  /** Number of flights upstream: each earlier group, and each nested scope that has the group, counts as one. */
  inFlight = 0
  readonly group: Group
  readonly scope: Scope
  readonly members: ReadonlyArray<Watch>
  /** Everything that a race has to cancel. */
  readonly reach: Reach<Flight> | undefined
  /** The same group's state in the outer scope, if its opening event is nested in itself. */
  private outer: GroupWatch | undefined
  /** Whether it holds back the intakes that cannot be quiet before it: in the outer scope, and in the next groups. */
  private holds = false
  /** Number of events that have come to steps that lead to it. */
  private come = 0
  /**
   * Whether the ones it holds back must still learn of that: they do when this one is quiet, however many there are.
   */
  private news = false
  /** Of several members, those armed, now or before: with an event since their last round, and without. */
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
   * Now that it is quiet: the first member with another round. Without a new event there is none, because two gathers
   * in a cycle would wake each other forever with nothing.
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

  /** Removes the first member with another round. */
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

  /** Now that it is quiet and has no other round: releases what it holds back, and returns what is then quiet, too. */
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

  /** Takes the place of the outer one, whose scope is bypassed. */
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

/** Number of scopes ever opened, in any run. */
let opened = 0

export class Scope {
  readonly kind: number
  /** Increases in the order of opening. */
  readonly number = opened++
  parent: Scope | undefined
  /** Larger than that of the outer scope. */
  readonly depth: number
  /** The event that opened it, with its id if the run is recorded; the run's own scope has none. */
  readonly opener: { readonly event: AnyEvent; readonly id: string | undefined } | undefined
  /** The nearest scope of each kind around its contents, including this one. */
  readonly owners: Array<Scope | undefined>
  /** Scopes of the run that have gone out of use and must be checked. */
  readonly unused: Array<Scope>
  over = false
  /** Whether one of its races has been decided. */
  hasDecided = false
  private uses = 0
  /** Direct children that are not over; not counted for the run's own scope. */
  private readonly inner: Set<Scope> | undefined
  /** Data of this kind of scope, by the index of the group and of the intake. */
  readonly groups: ReadonlyArray<GroupWatch>
  readonly watches: ReadonlyArray<Watch>

  constructor(
    graph: Pick<CompiledGraph, "kinds" | "groups" | "quiescents">,
    kind: number,
    parent: Scope | undefined,
    opener: Scope["opener"]
  ) {
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
    const watches: Array<Watch> = new Array(graph.quiescents[kind]!.length)
    // Each needs the ones after it.
    for (let i = known.length - 1; i >= 0; i--) {
      groups[i] = new GroupWatch(known[i]!, this)
      for (const watch of groups[i]!.members) watches[watch.quiescent.index] = watch
    }
    this.watches = watches
  }

  /**
   * Gives each intake that may run with nothing a position after everything that comes from the opening event, which is
   * at `position`.
   */
  reserve(position: Position): void {
    for (const watch of this.watches) if (watch.quiescent.waits) watch.end = position.after()
  }

  /** Something happens in it, or still may: each use must be released. */
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

  /** Its only direct child, if there is exactly one. */
  get only(): Scope | undefined {
    if (this.inner?.size !== 1) return undefined
    const [only] = this.inner
    return only
  }

  /** Nothing more can happen in it. */
  end(): void {
    this.over = true
    this.parent!.inner?.delete(this)
    for (const watch of this.watches) watch.leavePosition()
  }

  /** Bypasses it if everything alive in it is inside one younger scope of its own kind. */
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

  /**
   * Stands in for the missing scope of inputs and of everything that they alone lead to. Only intakes of the run itself
   * take events from it. It is never over.
   */
  static none(root: Scope): Scope {
    const none = new Scope({ kinds: [undefined, undefined], groups: [[]], quiescents: [[]] }, 0, root, undefined)
    none.owners[0] = root
    none.use()
    return none
  }

  get isNone(): boolean {
    return this.kind === 0 && this.parent !== undefined
  }

  /** The state of a group in the nearest scope of its kind, if there is one. */
  groupOf({ kind, index }: Group): GroupWatch | undefined {
    return this.owners[kind]?.groups[index]
  }

  /** Everything on the way to the races that a step leads to. */
  reaches({ raced }: Node): ReadonlyArray<Reach<Flight>> {
    // Hot: called for each round of an intake, and few lead to a race.
    return raced.length === 0 ? [] : raced.flatMap((group) => this.groupOf(group)?.reach ?? [])
  }

  /** The deepest scope that contains both. */
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
