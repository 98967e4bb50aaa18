/**
 * What an intake waits for: how many of each type make a round, and in which order its step is given them.
 */
import type { AnyIntake } from "../../Intake.ts"

export interface Needs {
  /** How many of each type: a `join` names its types apart, every other intake has one slot for all of its own. */
  readonly slots: ReadonlyArray<{ readonly tag: string; readonly needed: number }>
  /** The slot of an event of this type. */
  readonly slotOf: (tag: string) => number
  /** Where each event of a `join`'s list is found, in whose order its step is given them; others are given them as they came. */
  readonly list: ReadonlyArray<{ readonly slot: number; readonly nth: number }> | undefined
}

export const needsOf = ({ kind, events, count }: Pick<AnyIntake, "kind" | "events" | "count">): Needs => {
  const tags = events.map(({ tag }) => tag)
  if (kind !== "join") {
    return {
      slots: [{ tag: tags.join(" or "), needed: count ?? Number.POSITIVE_INFINITY }],
      slotOf: () => 0,
      list: undefined
    }
  }
  const slots: Array<{ tag: string; needed: number }> = []
  const slotOf = new Map<string, number>()
  const list = tags.map((tag) => {
    let slot = slotOf.get(tag)
    if (slot === undefined) {
      slot = slots.push({ tag, needed: 0 }) - 1
      slotOf.set(tag, slot)
    }
    return { slot, nth: slots[slot]!.needed++ }
  })
  // Among a few, looking at each is faster than a map.
  const find =
    slots.length <= 8 ? (tag: string) => slots.findIndex((slot) => slot.tag === tag) : (tag: string) => slotOf.get(tag)!
  return { slots, slotOf: find, list }
}
