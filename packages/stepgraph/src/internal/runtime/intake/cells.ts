/**
 * The cells of one intake in one run: one for each scope that something has come in, and for each key there.
 */
import * as Ref from "effect/Ref"
import type { Scope } from "../scope/scope.ts"
import { Cell } from "./cell.ts"

/** What a scope has. Most have one cell, and no map is made for it. */
type Kept = Cell | Map<unknown, Cell>

const cellsOf = (kept: Kept | undefined): ReadonlyArray<Cell> => {
  if (kept === undefined) return []
  return kept instanceof Cell ? [kept] : [...kept.values()]
}

/** As a `Map` compares keys. */
const isSame = (a: unknown, b: unknown): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

export class Cells {
  /** What it holds is changed in place, so that a collection of n costs O(n). */
  private readonly kept: Ref.Ref<Map<Scope, Kept>> = Ref.makeUnsafe(new Map())
  private readonly make: (scope: Scope, key: unknown) => Cell
  private readonly forgotten: (cell: Cell) => void
  private last: Cell | undefined

  /** `forgotten` is called with each cell that is no longer kept. */
  constructor(make: (scope: Scope, key: unknown) => Cell, forgotten: (cell: Cell) => void) {
    this.make = make
    this.forgotten = forgotten
  }

  /** The cell of a scope and key, made where there is none. */
  of(scope: Scope, key: unknown): Cell {
    // Most events come to the cell that the last one came to.
    if (this.last?.scope === scope && this.last.key === key) return this.last
    this.last = this.find(scope, key) ?? this.add(this.make(scope, key))
    return this.last
  }

  /** All that a scope has. */
  in(scope: Scope): ReadonlyArray<Cell> {
    return cellsOf(Ref.getUnsafe(this.kept).get(scope))
  }

  all(): ReadonlyArray<Cell> {
    return [...Ref.getUnsafe(this.kept).values()].flatMap(cellsOf)
  }

  /** Forgets a cell that holds nothing, so that a million keys do not stay. */
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
