import { expect, it } from "vitest"
import { notesOf, refusals, type State } from "./release.check.ts"

const changelog = "# stepgraph\n\n## 0.2.0\n\nMore.\n\n## 0.1.0\n\nThe first release.\n\n### Details\n\nSome.\n"
const ready: State = {
  changes: [],
  branch: "main",
  head: "a1",
  remote: "a1",
  packages: new Map([
    ["stepgraph", { version: "0.1.0", changelog }],
    ["@stepgraph/viz", { version: "0.1.0", changelog }]
  ]),
  fixed: ["stepgraph", "@stepgraph/viz"],
  changesets: [],
  tags: []
}

it("takes the notes of a version from its changelog", () => {
  expect(notesOf(changelog, "0.2.0")).toBe("More.")
  expect(notesOf(changelog, "0.1.0")).toBe("The first release.\n\n### Details\n\nSome.")
  expect(notesOf(changelog, "0.1")).toBeUndefined()
  expect(notesOf("## 0.1.0\n\n## 0.0.1\n\nOld.", "0.1.0")).toBeUndefined()
})

it("lets a release begin", () => {
  expect(refusals(ready)).toEqual([])
  // It broke off after one package, and goes on.
  expect(refusals({ ...ready, tags: ["stepgraph@0.1.0"] })).toEqual([])
})

it.each<[string, Partial<State>, string]>([
  ["uncommitted changes", { changes: [" M README.md"] }, "Commit or remove your changes first:\n M README.md"],
  ["another branch", { branch: "idea" }, "Releases are made from main, and this is idea: git switch main"],
  ["commits that GitHub lacks", { head: "b2" }, "main differs from main on GitHub: pull, or push and let CI check it"],
  [
    "a clone without a remote",
    { remote: undefined },
    "GitHub publishes, and there is no remote 'origin': git remote add origin …"
  ],
  [
    "two versions",
    { packages: new Map([...ready.packages, ["@stepgraph/viz", { version: "0.2.0", changelog }]]) },
    "All packages must have the same version. There are stepgraph 0.1.0, @stepgraph/viz 0.2.0."
  ],
  [
    "a version of its own",
    { fixed: ["stepgraph"] },
    "Add @stepgraph/viz to 'fixed' in .changeset/config.json: all packages have one version."
  ],
  [
    "no notes",
    { packages: new Map([["stepgraph", { version: "0.1.0", changelog: undefined }]]) },
    "CHANGELOG.md of stepgraph says nothing about 0.1.0: write what is new below '## 0.1.0'."
  ],
  [
    "changesets before the first version",
    { changesets: ["new.md"] },
    "The notes of the first version are in the packages' CHANGELOG.md. Move there what these say, and delete them: new.md"
  ],
  [
    "changesets after it",
    { changesets: ["new.md"], tags: ["stepgraph@0.1.0", "@stepgraph/viz@0.1.0"] },
    "Merge the pull request 'Release', which makes a version of new.md."
  ],
  [
    "a version that is out",
    { tags: ["stepgraph@0.1.0", "@stepgraph/viz@0.1.0"] },
    "0.1.0 is released: its tags exist. A release begins with a changeset."
  ]
])("refuses %s", (_, changed, message) => {
  expect(refusals({ ...ready, ...changed })).toEqual([message])
})
