// Newcomers' questions, asked of the search that the site ships.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import { questions } from "./questions.ts"
import { dist, openSearch } from "./support/search.ts"
import { base } from "./support/served.ts"

let search: (words: string) => ReadonlyArray<string>
beforeAll(async () => {
  search = await openSearch()
})

it.each(Object.entries(questions))("'%s' is answered first by %s", (question, answer) => {
  const found = search(question).map((address) => `/${address}`.slice(base.length))
  expect(
    found.slice(0, 5).map((address) => (answer.includes("#") ? address : address.split("#")[0]))[0],
    found.join("\n")
  ).toBe(answer)
  expect(existsSync(join(dist, answer.split("#")[0]!))).toBe(true)
})

it("has at least thirty questions", () => expect(Object.keys(questions).length).toBeGreaterThanOrEqual(30))
