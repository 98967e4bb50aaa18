/**
 * The cells of one intake in one run: one for each scope and key with events.
 */
import * as Ref from "effect/Ref"
import type { Scope } from "../scope/scope.ts"
import { Cell } from "./cell.ts"

/** The cells of a scope. Most have one cell and need no map. */
type Kept = Cell | Map<unknown, Cell>

const cellsOf = (kept: Kept | undefined): ReadonlyArray<Cell> => {
  if (kept === undefined) return []
  return kept instanceof Cell ? [kept] : [...kept.values()]
}

/** Compares keys like a `Map`. */
const isSame = (a: unknown, b: unknown): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

export class Cells {
  /** Its contents change in place, so collecting n events costs O(n). */
  private readonly kept: Ref.Ref<Map<Scope, Kept>> = Ref.makeUnsafe(new Map())
  private readonly make: (scope: Scope, key: unknown) => Cell
  private readonly forgotten: (cell: Cell) => void
  private last: Cell | undefined

  /** `forgotten` is called for each cell that is no longer kept. */
  constructor(make: (scope: Scope, key: unknown) => Cell, forgotten: (cell: Cell) => void) {
    this.make = make
    this.forgotten = forgotten
  }

  /** The cell of a scope and key, created if missing. */
  of(scope: Scope, key: unknown): Cell {
    // Most events go to the same cell as the previous one.
    if (this.last?.scope === scope && this.last.key === key) return this.last
    this.last = this.find(scope, key) ?? this.add(this.make(scope, key))
    return this.last
  }

  /** All cells of a scope. */
  in(scope: Scope): ReadonlyArray<Cell> {
    return cellsOf(Ref.getUnsafe(this.kept).get(scope))
  }

  all(): ReadonlyArray<Cell> {
    return [...Ref.getUnsafe(this.kept).values()].flatMap(cellsOf)
  }

  /** Forgets an empty cell, so a million keys do not accumulate. */
  forget(cell: Cell): void {
    const { scope, key } = cell
    const kept = Ref.getUnsafe(this.kept).get(scope)
    if (kept instanceof Map && kept.size > 1) kept.delete(key)
    else Ref.getUnsafe(this.kept).delete(scope)
    this.last = undefined
    this.forgotten(cell)
  }

  private find(scope: Scope, key: unknown): Cell | undefined {
    const kept = Ref.getUnsafe(this.kept).get(scope)
    if (!(kept instanceof Cell)) return kept?.get(key)
    return isSame(kept.key, key) ? kept : undefined
  }

  private add(cell: Cell): Cell {
    const { scope, key } = cell
    const all = Ref.getUnsafe(this.kept)
    const kept = all.get(scope)
    if (kept === undefined) all.set(scope, cell)
    else if (kept instanceof Map) kept.set(key, cell)
    else {
      const keyed = new Map([[kept.key, kept]])
      all.set(scope, keyed.set(key, cell))
    }
    return cell
  }
}
