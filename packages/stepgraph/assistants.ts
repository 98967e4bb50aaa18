// Generates the documentation for coding assistants: `AGENTS.md`, published inside the package, `llms.txt`, the list of
// all pages, and `llms-full.txt`, which has them all.
//
//   npx -y pnpm@10.34.9 assistants
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const workspace = join(import.meta.dirname, "../..")
const read = (file: string) => readFileSync(join(workspace, file), "utf8")

/** The pages on writing workflows. The others are for special tasks. */
const pages = ["getting-started", "steps", "workers", "joins", "errors", "retry", "time"]

const rules = `- Write events, steps and workflows as values: \`defineEvent\`, \`defineStep\`, \`workflow\`. There are no classes and no decorators.
  Never write type arguments.
- effect is version 4.1: import \`Schema\` from \`effect\`, never from \`@effect/schema\`. A step does not have to use Effect: it may be
  a plain, \`async\` or generator function.
- A step's name is its key in \`steps\`. An event goes to every step that accepts it: do not draw edges.
- \`accepts: [A, B]\` runs the step for either. For one of each, write \`join([A, B])\`; for all that come, \`gather(A)\`; for a number,
  \`collect(A, n)\`; for the first, \`race(A)\`. Add \`{ per: Doc }\` to keep the events of one document together.
- Do not count by hand or share variables between steps: intakes and \`defineState\` do this separately for each run.
- Emit by returning an event, an array or nothing. \`ctx.send\` is for events that go out before the step is done.
- Pass \`ctx.signal\` to \`fetch\` and similar functions: a step is interrupted when its run ends.
- Let the compiler check the graph: an error at a step says which event no step accepts or emits.`

/** Formats a heading as a link target. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-")

/**
 * Turns a page into a chapter: headings one level deeper, links to other chapters kept, all other links as plain text.
 */
const chapter = (page: string): string => {
  const titles = new Map(pages.map((name) => [`${name}.md`, read(`docs/${name}.md`).match(/^# (.*)$/m)![1]!]))
  let code = false
  return read(`docs/${page}.md`)
    .split("\n")
    .map((line) => {
      if (/^\s*```/.test(line)) code = !code
      if (code) return line
      return line.replace(/^#+ /, "#$&").replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (link, words, target: string) => {
        const [file, part] = target.split("#")
        if (file === "") return link
        const title = titles.get(file!)
        return title === undefined ? words : `[${words}](#${part ?? anchor(title)})`
      })
    })
    .join("\n")
    .trim()
}

const description = JSON.parse(read("packages/stepgraph/package.json")).description

export const agents = (): string =>
  [
    "# stepgraph, for coding assistants",
    `${description}. Made from the documentation: every program here is compiled and run by the tests.`,
    "## In short",
    rules,
    ...pages.map(chapter),
    ""
  ]
    .join("\n\n")
    .replace(/\n+$/, "\n")

/** The rows of the tables in docs/README.md. */
const rows = () =>
  [...read("docs/README.md").matchAll(/^\| (.+) \| \[(.+)\]\((.+)\) \|$/gm)].map(([, task, title, file]) => {
    return { task: task!, title: title!, file: `docs/${file}` }
  })

/** The list of all pages, as https://llmstxt.org has it. */
export const llms = (): string => {
  const links = rows().map(({ task, title, file }) => `- [${title}](${file}): ${task}`)
  return `# stepgraph\n\n> ${description}\n\n## Documentation\n\n${links.join("\n")}\n`
}

/** All pages in one, each under its address. */
export const everything = (): string =>
  [`# stepgraph\n\n> ${description}`, ...rows().map(({ file }) => `<!-- ${file} -->\n\n${read(file).trim()}`), ""].join(
    "\n\n"
  )

export const files: Readonly<Record<string, () => string>> = {
  "packages/stepgraph/AGENTS.md": agents,
  "llms.txt": llms
}

if (import.meta.main) {
  // Git ignores the last: it would have each page twice.
  const all = { ...files, "llms-full.txt": everything }
  for (const [file, make] of Object.entries(all)) writeFileSync(join(workspace, file), make())
}
