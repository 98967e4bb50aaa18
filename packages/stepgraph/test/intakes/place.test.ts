// Tests the order of emission against an array that does the same slowly. Costs are counted; no clock is needed.
import { describe, expect, it } from "vitest"
import { Place } from "../../src/internal/runtime/scope/position.ts"
import { random } from "../support/virtual.ts"

/** The labels that a comparison looks at. */
const labelsOf = (place: Place): string => `${place.bucket!.label}/${place.index}`

/** Makes and releases places as `next` chooses, and gives those that are left in their order. */
const played = (seed: number, steps: number, check?: (places: ReadonlyArray<Place>) => void): ReadonlyArray<Place> => {
  const next = random(seed)
  const places = [Place.end()]
  for (let step = 0; step < steps; step++) {
    const at = Math.floor(next() * places.length)
    // Never the end itself, which stays.
    if (next() < 0.35 && at < places.length - 1) places.splice(at, 1)[0]!.release()
    else if (next() < 0.2 && at < places.length - 1) places.splice(at + 1, 0, places[at]!.after())
    else places.splice(at, 0, places[at]!.before())
    check?.(places)
  }
  return places
}

/** How many labels change where `count` places are made, and the last one is as `make` has it. */
const changes = (count: number, make: (places: ReadonlyArray<Place>) => Place): number => {
  const places = [Place.end()]
  const labels = new Map<Place, string>()
  let changed = 0
  for (let made = 0; made < count; made++) {
    places.push(make(places))
    for (const place of places) {
      const label = labelsOf(place)
      if (labels.get(place) === label) continue
      labels.set(place, label)
      changed++
    }
  }
  return changed
}

describe("the order of emissions", () => {
  it("is that of an array, whatever is put in and taken out", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const places = played(seed, 1500)
      for (let i = 1; i < places.length; i++) {
        expect(Place.compare(places[i - 1]!, places[i]!), `seed ${seed}`).toBeLessThan(0)
        const other = (i * 7919) % places.length
        expect(Math.sign(Place.compare(places[i]!, places[other]!))).toBe(Math.sign(i - other))
      }
    }
  })

  it("holds after every step", () => {
    played(7, 400, (places) => {
      for (let i = 1; i < places.length; i++) expect(Place.compare(places[i - 1]!, places[i]!)).toBeLessThan(0)
    })
  })

  it("is exact however many come to one point", () => {
    const end = Place.end()
    const first = end.before()
    let last = first
    let inOrder = 0
    for (let i = 0; i < 300_000; i++) {
      const place = last.before()
      if (Place.compare(place, last) < 0 && Place.compare(place, end) < 0) inOrder++
      last = place
    }
    expect(inOrder).toBe(300_000)
    expect(Place.compare(last, first)).toBeLessThan(0)
    expect(Number.isSafeInteger(first.bucket!.label) && Number.isSafeInteger(last.bucket!.label)).toBe(true)
  })

  it("gives the earlier of two, and releases the other", () => {
    const end = Place.end()
    const a = end.before()
    const b = end.before()
    expect(Place.earlier(b, a)).toBe(a)
    expect(b.bucket).toBeUndefined()
    expect(a.bucket).toBeDefined()
    expect(() => b.before()).toThrow(TypeError)
  })

  it.each([
    ["before one end", (places: ReadonlyArray<Place>) => places[0]!.before(), 3],
    ["each before the last", (places: ReadonlyArray<Place>) => places.at(-1)!.before(), 80],
    [
      "each behind the last",
      (places: ReadonlyArray<Place>) => (places.length === 1 ? places[0]!.before() : places.at(-1)!.after()),
      5
    ],
    ["anywhere", (places: ReadonlyArray<Place>) => places[(places.length * 7919) % places.length]!.before(), 80]
  ])("costs no more the more there are: %s", (_, make, most) => {
    const few = changes(1000, make) / 1000
    const many = changes(2000, make) / 2000
    expect(many).toBeLessThan(most)
    expect(many).toBeLessThan(1.2 * few + 1)
  })
})
