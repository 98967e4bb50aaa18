// Tests the order of emission against an array that does the same slowly. Costs are counted; no clock is needed.
import { describe, expect, it } from "vitest"
import { Position } from "../../src/internal/runtime/scope/position.ts"
import { random } from "../support/virtual.ts"

/** The labels that a comparison looks at. */
const labelsOf = (position: Position): string => `${position.bucket!.label}/${position.index}`

/** Makes and releases positions as `next` chooses, and gives those that are left in their order. */
const played = (
  seed: number,
  steps: number,
  check?: (positions: ReadonlyArray<Position>) => void
): ReadonlyArray<Position> => {
  const next = random(seed)
  const positions = [Position.end()]
  for (let step = 0; step < steps; step++) {
    const at = Math.floor(next() * positions.length)
    // Never the end itself, which stays.
    if (next() < 0.35 && at < positions.length - 1) positions.splice(at, 1)[0]!.release()
    else if (next() < 0.2 && at < positions.length - 1) positions.splice(at + 1, 0, positions[at]!.after())
    else positions.splice(at, 0, positions[at]!.before())
    check?.(positions)
  }
  return positions
}

/** How many labels change where `count` positions are made, and the last one is as `make` has it. */
const changes = (count: number, make: (positions: ReadonlyArray<Position>) => Position): number => {
  const positions = [Position.end()]
  const labels = new Map<Position, string>()
  let changed = 0
  for (let made = 0; made < count; made++) {
    positions.push(make(positions))
    for (const position of positions) {
      const label = labelsOf(position)
      if (labels.get(position) === label) continue
      labels.set(position, label)
      changed++
    }
  }
  return changed
}

describe("the order of emissions", () => {
  it("is that of an array, whatever is put in and taken out", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const positions = played(seed, 1500)
      for (let i = 1; i < positions.length; i++) {
        expect(Position.compare(positions[i - 1]!, positions[i]!), `seed ${seed}`).toBeLessThan(0)
        const other = (i * 7919) % positions.length
        expect(Math.sign(Position.compare(positions[i]!, positions[other]!))).toBe(Math.sign(i - other))
      }
    }
  })

  it("holds after every step", () => {
    played(7, 400, (positions) => {
      for (let i = 1; i < positions.length; i++)
        expect(Position.compare(positions[i - 1]!, positions[i]!)).toBeLessThan(0)
    })
  })

  it("is exact however many come to one point", () => {
    const end = Position.end()
    const first = end.before()
    let last = first
    let inOrder = 0
    for (let i = 0; i < 300_000; i++) {
      const position = last.before()
      if (Position.compare(position, last) < 0 && Position.compare(position, end) < 0) inOrder++
      last = position
    }
    expect(inOrder).toBe(300_000)
    expect(Position.compare(last, first)).toBeLessThan(0)
    expect(Number.isSafeInteger(first.bucket!.label) && Number.isSafeInteger(last.bucket!.label)).toBe(true)
  })

  it("gives the earlier of two, and releases the other", () => {
    const end = Position.end()
    const a = end.before()
    const b = end.before()
    expect(Position.earlier(b, a)).toBe(a)
    expect(b.bucket).toBeUndefined()
    expect(a.bucket).toBeDefined()
    expect(() => b.before()).toThrow(TypeError)
  })

  it.each([
    ["before one end", (positions: ReadonlyArray<Position>) => positions[0]!.before(), 3],
    ["each before the last", (positions: ReadonlyArray<Position>) => positions.at(-1)!.before(), 80],
    [
      "each behind the last",
      (positions: ReadonlyArray<Position>) =>
        positions.length === 1 ? positions[0]!.before() : positions.at(-1)!.after(),
      5
    ],
    [
      "anywhere",
      (positions: ReadonlyArray<Position>) => positions[(positions.length * 7919) % positions.length]!.before(),
      80
    ]
  ])("costs no more the more there are: %s", (_, make, most) => {
    const few = changes(1000, make) / 1000
    const many = changes(2000, make) / 2000
    expect(many).toBeLessThan(most)
    expect(many).toBeLessThan(1.2 * few + 1)
  })
})
