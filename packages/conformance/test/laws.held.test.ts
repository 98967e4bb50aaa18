// The memory of a run at its end: no dead scope, and no chain of scopes of one kind.
import { afterAll, beforeAll, expect, it, vi } from "vitest"
// biome-ignore lint/style/noRestrictedImports: no public entry says which scopes a run keeps.
import { Scope } from "../../stepgraph/src/internal/runtime/scope/scope.ts"
import { anyShape, everything, inRow, nested, waiting } from "../src/generate.ts"
import { generated } from "../src/laws.ts"
import { memory } from "../src/memory.ts"
import { searched } from "../src/search.ts"
import { type Spec, show } from "../src/spec.ts"

vi.setConfig({ testTimeout: 60_000 })

const opened = new Set<Scope>()
beforeAll(() => {
  const { use } = Scope.prototype
  vi.spyOn(Scope.prototype, "use").mockImplementation(function (this: Scope) {
    if (this.parent !== undefined) opened.add(this)
    use.call(this)
  })
})
afterAll(() => void vi.restoreAllMocks())

/** Without its stop event, a run continues until it stalls. */
const endless = (spec: Spec): Spec => ({
  ...spec,
  steps: spec.steps.map((step) => (step.emits.includes("Stop") ? { ...step, fan: [0, 0] } : step))
})

const specs = (many: number): ReadonlyArray<Spec> => [
  ...generated(many, (seed) => anyShape(seed, everything)),
  ...generated(many, (seed) => nested(seed, everything)).map(endless),
  ...generated(many / 2, (seed) => inRow(seed, waiting)).map(endless)
]

it("a stalled run keeps a scope only for an event held there, and no scope around another of its kind", async () => {
  let scopes = 0
  let held = 0
  for (const spec of specs(600)) {
    opened.clear()
    const { outcome } = await memory.run(spec, { seed: 1, shuffled: true, observed: false })
    if (outcome._tag !== "Stalled") continue
    scopes += opened.size
    const holding = Object.values(outcome.waiting).reduce((sum, count) => sum + count, 0)
    const alive = [...opened].filter(({ over }) => !over)
    held += alive.length
    expect(alive.filter(({ inUse }) => inUse).length, show(spec)).toBeLessThanOrEqual(holding)
    for (const scope of alive) {
      expect(scope.inUse || !scope.empty, show(spec)).toBe(true)
      expect(scope.parent!.over, show(spec)).toBe(false)
      for (const owner of scope.owners) expect(owner === undefined || !owner.over, show(spec)).toBe(true)
      // Everything alive inside it is inside another scope of its kind.
      let inner = scope.inUse ? undefined : scope.only
      while (inner !== undefined && inner.kind !== scope.kind) inner = inner.inUse ? undefined : inner.only
      expect(inner, show(spec)).toBeUndefined()
    }
  }
  expect(scopes).toBeGreaterThan(searched(500))
  expect(held).toBeGreaterThan(searched(20))
})
