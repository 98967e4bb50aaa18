// The pictures of the page in the documentation. Whether they are current, `pnpm pictures:page --check` says.
import { globSync, readdirSync, readFileSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const workspace = fileURLToPath(new URL("../../../", import.meta.url))

it("are all used, in light and dark, and small", () => {
  const files = readdirSync(`${workspace}docs/page`).map((name) => `docs/page/${name}`)
  const pages = ["README.md", ...globSync("docs/*.md", { cwd: workspace })]
  const text = pages.map((page) => readFileSync(`${workspace}${page}`, "utf8")).join("\n")
  const used = [...text.matchAll(/"(?:docs\/)?(page\/[\w-]+\.png)"/g)].map(([, file]) => `docs/${file}`)
  expect([...new Set(used)].sort()).toEqual(files.sort())
  expect(files.map((file) => file.replace("light", "dark")).every((file) => files.includes(file))).toBe(true)
  for (const file of files) expect([file, statSync(`${workspace}${file}`).size < 150_000]).toEqual([file, true])
})
