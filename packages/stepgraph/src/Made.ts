/**
 * The plain events that have just been made, with their definitions: what a step emits of them needs no second check.
 *
 * Hot: an event that is found here costs 0.003 µs, and checking its fields again 0.03, a tenth of what an item of a fan-out
 * takes. Nothing depends on it: what is not found is checked again.
 */

/** The event made last. Most are emitted before the next one is made. */
let latest: unknown
let latestDef: unknown

/** The events of one definition that a step has made after that one, from `next` on, while it makes what may be a list. */
let list: Array<unknown> | undefined
let listDef: unknown
let next = 0

/** A step may make more events than it returns. */
const most = 65_536

/** Notes an event that a definition has made. */
export const noteMade = (def: unknown, event: unknown): void => {
  if (list !== undefined && latest !== undefined) addToList(def, event)
  else {
    latest = event
    latestDef = def
  }
}

const addToList = (def: unknown, event: unknown): void => {
  if (list!.length === 0) listDef = def
  if (def === listDef && list!.length < most) list!.push(event)
}

/** Whether a definition has just made this event, which is then forgotten. Lists are asked for in the order of making. */
export const hasMade = (def: unknown, event: unknown): boolean => {
  if (event !== latest || def !== latestDef) return list !== undefined && isNext(list, def, event)
  latest = undefined
  return true
}

const isNext = (from: Array<unknown>, def: unknown, event: unknown): boolean => {
  if (from[next] !== event || def !== listDef) return false
  next++
  return true
}

/** A step that has returned lists begins its work. */
export const beginList = (): void => {
  latest = undefined
  list = []
  next = 0
}

/** The returned events have been emitted: forgets any others that the step made. */
export const endList = (): void => {
  list = undefined
}
