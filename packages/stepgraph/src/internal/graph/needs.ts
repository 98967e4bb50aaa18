/**
 * The needs of an intake: the number of events of each type in a round, and the order in which its step gets them.
 */
import type { AnyIntake } from "../../Intake.ts"

export interface Needs {
  /** The count per slot: a `join` has a slot for each type, any other intake has one for all its types. */
  readonly slots: ReadonlyArray<{ readonly tag: string; readonly needed: number }>
  /** The slot of an event type. */
  readonly slotOf: (tag: string) => number
  /**
   * Where to find each event of a `join`'s list, in whose order its step gets them; other intakes keep the order of
   * arrival.
   */
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
  // For a few entries, a linear search beats a map.
  const find =
    slots.length <= 8 ? (tag: string) => slots.findIndex((slot) => slot.tag === tag) : (tag: string) => slotOf.get(tag)!
  return { slots, slotOf: find, list }
}
