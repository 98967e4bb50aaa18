// Tests of the core that differ where its runs are elsewhere. All others must pass, and each of these must fail.
import type { TestContext } from "vitest"

export interface Differing {
  /** Below the tests of the core. */
  readonly file: string
  /** How the full names of the tests begin. */
  readonly test: string
  readonly why: string
  /** Whether it is run, and must fail: not one that would never end, or whose end depends on the machine. */
  readonly tried: boolean
}

type Tests = Readonly<Record<string, ReadonlyArray<string>>>

/** Lists tests with one of these reasons. */
export const listing = <Why extends string>(reasons: Readonly<Record<Why, string>>) => {
  const list = (why: Why, tests: Tests, tried = true): ReadonlyArray<Differing> =>
    Object.entries(tests).flatMap(([file, names]) =>
      names.map((test) => ({ file: `${file}.test.ts`, test, why: reasons[why], tried }))
    )
  return { list, untried: (why: Why, tests: Tests) => list(why, tests, false) }
}

/** Holds the tests to a list; `mode` says where the runs are. */
export const heeding = (differing: ReadonlyArray<Differing>, mode: string) => {
  const met = new Set<Differing>()
  return {
    /** Before each test. */
    before: ({ skip, task }: Pick<TestContext, "skip" | "task">, file: string, name: string): void => {
      const one = differing.find((other) => other.file === file && name.startsWith(other.test))
      if (one === undefined) return
      met.add(one)
      if (!one.tried) skip(`${mode}, ${one.why}`)
      // One that passes is an error: the list stays true.
      Object.assign(task, { fails: true })
    },
    /** After all tests of a file. */
    after: (file: string): void => {
      const stale = differing.filter((one) => one.file === file && !met.has(one))
      if (stale.length > 0) {
        throw new Error(`no test that has run begins so: ${stale.map(({ test }) => `'${test}'`).join(", ")}`)
      }
    }
  }
}
