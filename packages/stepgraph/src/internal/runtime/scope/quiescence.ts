/**
 * Detects when everything upstream of an intake is quiet.
 *
 * For each group of `gather`s and `race`s of its kind, a scope counts what is in flight at the steps that feed the
 * group. An invocation's emissions are delivered before the invocation is counted out, so the count reaches 0 only when
 * no event can come.
 */
import type { Group, Node, Quiescent } from "../../graph/graph.ts"
import { downstream, upstream } from "../../graph/upstream.ts"
import { Heap } from "./heap.ts"
import type { Flight, GroupWatch, Scope, Watch } from "./scope.ts"

/**
 * The deepest scope goes first, as it may still emit to those around it; within one scope, the order of the graph
 * decides, and among scopes side by side, the order of opening.
 */
const firesBefore = (a: GroupWatch, b: GroupWatch): boolean =>
  a.scope.depth > b.scope.depth ||
  (a.scope.depth === b.scope.depth &&
    (a.group.index < b.group.index || (a.group.index === b.group.index && a.scope.number < b.scope.number)))

/** Events that an intake holds and that count as on their way, with the groups that wait for them. */
export interface Parked extends Flight {
  watches: ReadonlyArray<GroupWatch>
}

/** Whether an event from this step can reach the group without passing through a decided race. */
const leadsTo = (from: Node, group: Group, scope: Scope): boolean => {
  if (!scope.owners.some((owner) => owner?.hasDecided)) return true
  const isOpen = ({ per, quiescent }: Node) =>
    quiescent === undefined || scope.owners[per]?.watches[quiescent.index]?.decided !== true
  for (const node of downstream(from.emits, () => true, isOpen)) if (node.quiescent?.group === group) return true
  return false
}

/** Called for each intake when everything upstream of it is quiet. */
export interface OnQuiescence {
  onQuiescence(watch: Watch): void
}

/** Counts what is in flight, and finds quiet intakes. Each call costs O(1) for each group that a step feeds. */
export class Quiescence {
  private readonly intakes: OnQuiescence
  /** During `atOnce`: groups that have gone quiet and have yet to fire. */
  private together: Array<GroupWatch> | undefined

  constructor(intakes: OnQuiescence) {
    this.intakes = intakes
  }

  /** An event has come to a step, or to its intake. */
  come({ feeds }: Node, scope: Scope): void {
    for (const group of feeds) scope.groupOf(group)?.hear()
  }

  enter(flight: Flight): void {
    const { node, scope } = flight
    scope.use()
    for (const { kind, index } of node.arms) scope.owners[kind]?.watches[index]?.arm()
    for (const group of node.feeds) {
      const watch = scope.groupOf(group)
      if (watch === undefined) continue
      watch.enter()
      watch.reach?.enter(flight)
    }
  }

  /** A flight has ended, and its emissions have been delivered. */
  leave(flight: Flight): void {
    const { node, scope } = flight
    let quiet: Array<GroupWatch> | undefined
    // Count all down before any fires: the first to fire may create work for the next.
    for (const group of node.feeds) {
      const watch = scope.groupOf(group)
      if (watch === undefined) continue
      watch.reach?.leave(flight)
      if (--watch.inFlight === 0) {
        quiet ??= []
        quiet.push(watch)
      }
    }
    if (quiet !== undefined) this.fire(quiet)
    scope.letGo()
  }

  /** Counts what an intake holds as on its way. */
  park(parked: Parked): void {
    const { node, scope } = parked
    scope.use()
    for (const { kind, index } of node.arms) scope.owners[kind]?.watches[index]?.arm()
    const watches: Array<GroupWatch> = []
    for (const group of node.feeds) {
      const watch = scope.groupOf(group)
      if (watch === undefined || !leadsTo(node, group, scope)) continue
      watch.enter()
      watch.reach?.enter(parked)
      watches.push(watch)
    }
    parked.watches = watches
  }

  /** Stops counting it, as it has moved on or what it lacks cannot come. */
  unpark(parked: Parked): void {
    this.unparkFrom(parked, parked.watches)
    parked.watches = []
    parked.scope.letGo()
  }

  /** A race downstream was decided: groups that can only be reached through it stop waiting. */
  recheck(parked: Parked): void {
    const { node, scope } = parked
    const over = parked.watches.filter(({ group }) => !leadsTo(node, group, scope))
    parked.watches = parked.watches.filter((watch) => !over.includes(watch))
    this.unparkFrom(parked, over)
  }

  private unparkFrom(parked: Parked, watches: ReadonlyArray<GroupWatch>): void {
    for (const { reach } of watches) reach?.leave(parked)
    this.letGo(watches)
  }

  /** Does all of the work before any group fires that it leaves quiet. */
  atOnce(work: () => void): void {
    if (this.together !== undefined) {
      work()
      return
    }
    const quiet: Array<GroupWatch> = []
    this.together = quiet
    try {
      work()
    } finally {
      this.together = undefined
    }
    if (quiet.length > 0) this.fire([...new Set(quiet)])
  }

  /** Opens a scope, and keeps its intakes from firing until its opening event is delivered. */
  hold(scope: Scope): void {
    scope.use()
    for (const group of scope.groups) group.enter()
    for (const watch of scope.watches) if (watch.quiescent.opened) watch.arm()
  }

  release(scope: Scope): void {
    this.letGo(scope.groups)
    scope.letGo()
  }

  /** Keeps intakes that inputs can lead to from firing while inputs are open. */
  openInputs(root: Scope): void {
    for (const group of root.groups) if (group.group.sent) group.enter()
  }

  /**
   * Intakes that inputs can lead to now get a round, empty if nothing came, unless a decided race no longer needs it.
   */
  closeInputs(root: Scope): void {
    const sent = root.groups.filter(({ group }) => group.sent)
    const decided = root.watches.filter(({ decided }) => decided).map(({ quiescent }) => quiescent.node)
    const unwanted = upstream(decided)
    for (const group of sent) {
      group.hear()
      for (const watch of group.members) if (!unwanted.has(watch.quiescent.node)) watch.arm()
    }
    this.letGo(sent)
  }

  /** The gathers that would fire if the inputs were closed, when nothing else is in flight. */
  waitingForInputs(root: Scope): ReadonlyArray<Quiescent> {
    const waiting = root.watches.filter(
      ({ armed, quiescent: { node, group } }) => armed && group.sent && node.intake?.kind === "gather"
    )
    return waiting.map(({ quiescent }) => quiescent)
  }

  private letGo(groups: ReadonlyArray<GroupWatch>): void {
    this.fire(groups.filter((watch) => --watch.inFlight === 0))
  }

  /** Fires quiet intakes that have a round. */
  private fire(quiet: Array<GroupWatch>): void {
    if (this.together !== undefined) {
      this.together.push(...quiet)
      return
    }
    let ready: Heap<GroupWatch> | undefined
    const over: Array<GroupWatch> = []
    for (;;) {
      for (const watch of quiet) {
        if (watch.inFlight > 0) continue
        if (watch.next !== undefined) {
          ready ??= new Heap(firesBefore)
          ready.add(watch)
        } else {
          // A group that stays quiet lets others go first: they may have become ready, too.
          over.push(watch)
          const others = watch.letGo()
          if (others !== undefined) quiet.push(...others)
        }
      }
      let next = ready?.take()
      // Work started by the last one may keep others waiting.
      while (next !== undefined && next.inFlight > 0) next = ready?.take()
      if (next === undefined) break
      const watch = next.take()
      if (watch !== undefined) this.intakes.onQuiescence(watch)
      // If nothing came of it, it is as quiet as before.
      quiet = [next]
    }
    // Only now: one that has run may lead to another that was quiet.
    for (const { inFlight, members } of over) if (inFlight === 0) for (const watch of members) watch.leavePosition()
  }
}
