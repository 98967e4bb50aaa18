/**
 * What one intake holds for one scope and key, and when a round of it is whole. Nothing is lost here: surplus stays for the
 * next round, and what is left at the end can be listed.
 */
import * as MutableList from "effect/MutableList"
import type { AnyEvent } from "../../Event.ts"
import type { AnyIntake } from "../../Intake.ts"
import type { Node } from "../graph/graph.ts"
import type { Place } from "./place.ts"
import type { Scope } from "./scope.ts"
import type { Timer } from "./timers.ts"

/** An event that has been emitted, as an intake keeps it. */
export interface Emission {
  readonly event: AnyEvent
  /** Where the run is recorded. */
  readonly id: string | undefined
  readonly scope: Scope
  readonly place: Place
}

/** What has come of one type. */
interface Slot {
  readonly tag: string
  readonly needed: number
  readonly come: MutableList.MutableList<Emission>
  /** When each came, where the intake has a deadline. */
  readonly at: MutableList.MutableList<number> | undefined
}

/** How many of each type make a round: a `join` names its types apart, every other intake has one slot for all of its own. */
export type Needs = ReadonlyArray<{ readonly tag: string; readonly needed: number }>

export const needsOf = ({ kind, events, count }: Pick<AnyIntake, "kind" | "events" | "count">): Needs => {
  if (kind !== "join") {
    return [{ tag: events.map(({ tag }) => tag).join(" or "), needed: count ?? Number.POSITIVE_INFINITY }]
  }
  const needed = new Map<string, number>()
  for (const { tag } of events) needed.set(tag, (needed.get(tag) ?? 0) + 1)
  return [...needed].map(([tag, needed]) => ({ tag, needed }))
}

/** What has come for one scope and key: a `join` has a slot for each type, every other intake one for all. */
export class Cell {
  readonly slots: ReadonlyArray<Slot>
  readonly scope: Scope
  readonly key: unknown
  /** How many slots have less than they need. */
  lacking: number
  timer: Timer | undefined

  constructor(needs: Needs, timed: boolean, scope: Scope, key: unknown) {
    this.slots = needs.map(({ tag, needed }) => ({
      tag,
      needed,
      come: MutableList.make(),
      at: timed ? MutableList.make() : undefined
    }))
    this.lacking = this.slots.length
    this.scope = scope
    this.key = key
  }

  get empty(): boolean {
    return this.slots.every(({ come }) => come.length === 0)
  }

  add(emission: Emission, at?: number): void {
    const slot = this.slots.length === 1 ? this.slots[0]! : this.slots.find(({ tag }) => tag === emission.event._tag)!
    MutableList.append(slot.come, emission)
    if (slot.at !== undefined) MutableList.append(slot.at, at!)
    if (slot.come.length === slot.needed) this.lacking--
  }

  /** Takes one round of events out, slot by slot; fewer where they have not all come. */
  take(): ReadonlyArray<ReadonlyArray<Emission>> {
    let lacking = 0
    const taken = this.slots.map(({ come, needed, at }) => {
      const count = Math.min(needed, come.length)
      if (at !== undefined) MutableList.takeN(at, count)
      const emissions = MutableList.takeN(come, count)
      if (come.length < needed) lacking++
      return emissions
    })
    this.lacking = lacking
    return taken
  }

  /** When the first of what is there came. */
  get since(): number {
    let since = Number.POSITIVE_INFINITY
    for (const { at } of this.slots) since = Math.min(since, at?.head?.array[at.head.offset] ?? since)
    return since
  }

  emissions(): ReadonlyArray<Emission> {
    return this.slots.flatMap(({ come }) => MutableList.toArray(come))
  }

  /** Takes everything out. */
  clear(): ReadonlyArray<Emission> {
    const emissions = this.emissions()
    for (const { come, at } of this.slots) {
      MutableList.clear(come)
      if (at !== undefined) MutableList.clear(at)
    }
    this.lacking = this.slots.length
    return emissions
  }

  has(): Record<string, number> {
    const has = new Map<string, number>()
    for (const { event } of this.emissions()) has.set(event._tag, (has.get(event._tag) ?? 0) + 1)
    return Object.fromEntries(has)
  }

  needs(): Record<string, number> {
    const lacking = this.slots.filter(({ come, needed }) => come.length < needed && needed !== Number.POSITIVE_INFINITY)
    return Object.fromEntries(lacking.map(({ tag, come, needed }) => [tag, needed - come.length]))
  }
}

/** An event that an intake still held when its run ended. */
export interface Left {
  readonly node: Node
  readonly events: ReadonlyArray<string>
}

export const leftOf = (node: Node, cell: Cell): ReadonlyArray<Left> =>
  cell.emissions().map(({ id }) => ({ node, events: [id!] }))

/** Puts the events of a join's slots into the order of its list; `undefined` stands where one has not come. */
export const inOrder = (
  tags: ReadonlyArray<string>,
  slots: ReadonlyArray<Slot>,
  taken: ReadonlyArray<ReadonlyArray<Emission>>
) => {
  const left = new Map(slots.map(({ tag }, index) => [tag, [...taken[index]!]]))
  return tags.map((tag) => left.get(tag)!.shift())
}
