/**
 * The cells of one intake in one run: one for each scope that something has come in, and for each key there.
 */
import * as Ref from "effect/Ref"
import type { Cell } from "./cell.ts"
import type { Scope } from "./scope.ts"

interface Kept {
  /** Those without a key, which most intakes have none of but these. */
  readonly whole: Map<Scope, Cell>
  readonly keyed: Map<Scope, Map<unknown, Cell>>
}

export class Cells {
  /** What it holds is changed in place, so that a collection of n costs O(n). */
  private readonly kept: Ref.Ref<Kept> = Ref.makeUnsafe({ whole: new Map(), keyed: new Map() })
  private readonly make: (scope: Scope, key: unknown) => Cell
  private last: Cell | undefined

  constructor(make: (scope: Scope, key: unknown) => Cell) {
    this.make = make
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
    const { whole, keyed } = Ref.getUnsafe(this.kept)
    const one = whole.get(scope)
    return [...(one === undefined ? [] : [one]), ...(keyed.get(scope)?.values() ?? [])]
  }

  all(): ReadonlyArray<Cell> {
    const { whole, keyed } = Ref.getUnsafe(this.kept)
    return [...whole.values(), ...[...keyed.values()].flatMap((cells) => [...cells.values()])]
  }

  /** Forgets a cell that holds nothing, so that a million keys do not stay. */
  forget({ scope, key }: Cell): void {
    const { whole, keyed } = Ref.getUnsafe(this.kept)
    this.last = undefined
    if (key === undefined) whole.delete(scope)
    else {
      const cells = keyed.get(scope)
      cells?.delete(key)
      if (cells?.size === 0) keyed.delete(scope)
    }
  }

  forgetAll(scope: Scope): void {
    const { whole, keyed } = Ref.getUnsafe(this.kept)
    this.last = undefined
    whole.delete(scope)
    keyed.delete(scope)
  }

  private find(scope: Scope, key: unknown): Cell | undefined {
    const { whole, keyed } = Ref.getUnsafe(this.kept)
    return key === undefined ? whole.get(scope) : keyed.get(scope)?.get(key)
  }

  private add(cell: Cell): Cell {
    const { whole, keyed } = Ref.getUnsafe(this.kept)
    if (cell.key === undefined) whole.set(cell.scope, cell)
    else {
      const cells = keyed.get(cell.scope)
      if (cells === undefined) keyed.set(cell.scope, new Map([[cell.key, cell]]))
      else cells.set(cell.key, cell)
    }
    return cell
  }
}
