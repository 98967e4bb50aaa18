/**
 * The cells of one intake in one run: one for each scope and key with events.
 */
import type { Scope } from "../scope/scope.ts"
import { Cell } from "./cell.ts"

/** The owner of the cells. */
export interface Owner {
  make(scope: Scope, key: unknown): Cell
  /** Called for each cell that is no longer kept. */
  forgotten(cell: Cell): void
}

/** The cells of a scope. Most have one cell and need no map. */
type Kept = Cell | Map<unknown, Cell>

const cellsOf = (kept: Kept | undefined): ReadonlyArray<Cell> => {
  if (kept === undefined) return []
  return kept instanceof Cell ? [kept] : [...kept.values()]
}

/** Compares keys like a `Map`. */
const isSame = (a: unknown, b: unknown): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

export class Cells {
  private readonly owner: Owner
  /** The only cell, or all of them by scope: an intake with one cell at a time never makes a map. */
  private only: Cell | undefined
  private kept: Map<Scope, Kept> | undefined
  private last: Cell | undefined

  constructor(owner: Owner) {
    this.owner = owner
  }

  /** The cell of a scope and key, created if missing. */
  of(scope: Scope, key: unknown): Cell {
    // Most events go to the same cell as the previous one.
    if (this.last?.scope === scope && this.last.key === key) return this.last
    this.last = this.find(scope, key) ?? this.add(this.owner.make(scope, key))
    return this.last
  }

  /** All cells of a scope. */
  in(scope: Scope): ReadonlyArray<Cell> {
    if (this.only !== undefined) return this.only.scope === scope ? [this.only] : []
    return cellsOf(this.kept?.get(scope))
  }

  all(): ReadonlyArray<Cell> {
    return this.only !== undefined ? [this.only] : [...(this.kept?.values() ?? [])].flatMap(cellsOf)
  }

  /** Forgets an empty cell, so a million keys do not accumulate. */
  forget(cell: Cell): void {
    const { scope, key } = cell
    const kept = this.kept?.get(scope)
    if (cell === this.only) this.only = undefined
    else if (kept instanceof Map && kept.size > 1) kept.delete(key)
    else this.kept?.delete(scope)
    this.last = undefined
    this.owner.forgotten(cell)
  }

  private find(scope: Scope, key: unknown): Cell | undefined {
    const kept = this.only ?? this.kept?.get(scope)
    if (!(kept instanceof Cell)) return kept?.get(key)
    if (kept.scope !== scope) return undefined
    return isSame(kept.key, key) ? kept : undefined
  }

  private add(cell: Cell): Cell {
    const { only } = this
    if (only === undefined && !this.kept?.size) {
      this.only = cell
      return cell
    }
    this.kept ??= new Map()
    this.only = undefined
    if (only !== undefined) this.kept.set(only.scope, only)
    this.keep(this.kept, cell)
    return cell
  }

  private keep(all: Map<Scope, Kept>, cell: Cell): void {
    const { scope, key } = cell
    const kept = all.get(scope)
    if (kept === undefined) all.set(scope, cell)
    else if (kept instanceof Map) kept.set(key, cell)
    else {
      const keyed = new Map([[kept.key, kept]])
      all.set(scope, keyed.set(key, cell))
    }
  }
}
