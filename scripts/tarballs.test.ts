import { expect, it } from "vitest"
import { type Manifest, problemsOf } from "./tarballs.check.ts"

const manifest: Manifest = {
  name: "@stepgraph/viz",
  description: "See a workflow",
  keywords: ["workflow", "stepgraph", "timeline"],
  homepage: "https://github.com/stepgraph/stepgraph/tree/main/packages/viz#readme",
  bugs: "https://github.com/stepgraph/stepgraph/issues",
  license: "MIT",
  type: "module",
  sideEffects: false,
  repository: { url: "git+https://github.com/stepgraph/stepgraph.git", directory: "packages/viz" },
  engines: { node: ">=20" },
  publishConfig: { access: "public" },
  peerDependencies: { stepgraph: "^0.1.0" }
}
const files = {
  "README.md": "",
  LICENSE: "",
  "package.json": "",
  "templates/plain/src/orders.test.ts": "",
  "dist/index.js": "export {}\n//# sourceMappingURL=index.js.map",
  "dist/index.js.map": JSON.stringify({ sources: ["../src/index.ts"], sourcesContent: ["export {}"] })
}
const problems = (other: Partial<Manifest>, changed: Readonly<Record<string, string | undefined>> = {}) => {
  const all = Object.entries({ ...files, ...changed }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined
  )
  return problemsOf({ manifest: { ...manifest, ...other }, directory: "packages/viz", files: new Map(all) })
}

it("finds nothing wrong with a package that is whole", () => expect(problems({})).toEqual([]))

it.each<[Partial<Manifest>, string]>([
  [{ description: "" }, "has no description"],
  [{ keywords: ["workflow"] }, "needs three keywords or more, each once"],
  [{ keywords: ["a", "b", "c", "a"] }, "needs three keywords or more, each once"],
  [{ license: "ISC" }, "must say its license, MIT"],
  [{ type: "commonjs" }, "must be of type module"],
  [{ sideEffects: true }, "must say sideEffects: false"],
  [{ engines: {} }, "must say in engines which Node it needs"],
  [{ publishConfig: {} }, "must have public access"],
  [{ repository: { ...manifest.repository!, directory: "packages/cli" } }, "must be of the repository's directory"],
  [{ repository: { directory: "packages/viz" } }, "must name the repository"],
  [{ homepage: "https://example.com" }, "must have packages/viz as its homepage"],
  [{ bugs: "" }, "must say where to report bugs"],
  [{ peerDependencies: { stepgraph: "workspace:^" } }, "needs stepgraph at workspace:^"]
])("of a manifest, %j: %s", (wrong, message) => {
  expect(problems(wrong)).toEqual([expect.stringContaining(`@stepgraph/viz ${message}`)])
})

it.each<[Readonly<Record<string, string | undefined>>, string]>([
  [{ LICENSE: undefined }, "has no LICENSE"],
  [{ "README.md": undefined }, "has no README.md"],
  [{ "src/index.ts": "" }, "src/index.ts is not for users"],
  [{ "dist/index.test.js": "" }, "dist/index.test.js is not for users"],
  [{ "dist/index.js.map": undefined }, "dist/index.js leads to index.js.map, which is not there"],
  [
    { "dist/index.js.map": JSON.stringify({ sources: ["../src/index.ts"] }) },
    "dist/index.js.map leads to ../src/index.ts, which is not there"
  ]
])("of the files, %j: %s", (changed, message) => {
  expect(problems({}, changed)).toEqual([expect.stringContaining(message)])
})
