// Tests the code in the documentation: every ```ts block of the READMEs, docs/ and the packages' docstrings is compiled
// against the real packages and run. Each block is complete, imports included; imports resolve from the workspace root.
//
//   ```ts           compile it and run it
//   ```ts no-run    compile it only
//   ```ts original  a program of another library, which prints what the next block prints
//
// A block can state its output in a comment after a `console.log`, on the same line or below. The comment holds the
// text that Node prints, with white space collapsed; further comment lines continue it:
//
//   console.log(await runPromise(flow)) // => { _tag: 'Stop', result: 'done' }
//
//   console.log(lines.join("\n"))
//   // => one
//   //    two
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { formatWithOptions } from "node:util"
import ts from "typescript"
import { workspace } from "./compile.ts"

export interface Snippet {
  /** The document, relative to the workspace, and the line of the fence. */
  readonly source: string
  readonly line: number
  readonly runs: boolean
  /** Whether it is a program of another library, and the next snippet does the same with stepgraph. */
  readonly original: boolean
  /** Padded with blank lines, so line numbers match the document. */
  readonly code: string
}

const openingFence = /^(\s*)(`{3,}|~{3,})\s*(?:ts|typescript)\b([^`]*)$/

const fencedBlocks = (source: string, lines: ReadonlyArray<string>): Array<Snippet> => {
  const snippets: Array<Snippet> = []
  for (let at = 0; at < lines.length; at++) {
    const [, , fence, info] = openingFence.exec(lines[at]!) ?? []
    if (fence === undefined || info === undefined) continue
    const start = at
    while (++at < lines.length && !lines[at]!.trimStart().startsWith(fence));
    const code = [...lines.slice(0, start + 1).fill(""), ...lines.slice(start + 1, at)].join("\n")
    snippets.push({
      source,
      line: start + 1,
      runs: !/\bno-run\b/.test(info),
      original: /\boriginal\b/.test(info),
      code
    })
  }
  return snippets
}

/** The lines of a file's docstrings without asterisks; all other lines are blank. */
const docstringLines = (text: string): Array<string> => {
  const blank = (part: string) => part.replace(/[^\n]/g, "")
  let kept = ""
  let end = 0
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const inside = comment[0]
      .replace(/^\/\*\*|\*\/$/g, "  ")
      .replace(/^[^\S\n]*\* ?/gm, (star) => " ".repeat(star.length))
    kept += blank(text.slice(end, comment.index)) + inside
    end = comment.index + comment[0].length
  }
  return kept.split("\n")
}

export const snippetsOf = (source: string, text: string): Array<Snippet> =>
  fencedBlocks(source, source.endsWith(".ts") ? docstringLines(text) : text.split("\n"))

/** The path of a snippet while it is compiled and run, relative to the workspace. */
export const fileOf = (snippet: Snippet) => join(".snippets", `${snippet.source}.${snippet.line}.ts`)

export interface Printed {
  readonly line: number
  readonly text: string
}

const words = (text: string) => text.trim().split(/\s+/).join(" ")

/** The `console.log` calls whose output a comment states. */
const expectations = (snippet: Snippet) => {
  const file = ts.createSourceFile("snippet.ts", snippet.code, ts.ScriptTarget.Latest, true)
  const found: Array<Printed & { readonly start: number; readonly end: number }> = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === "console.log") {
      const after = snippet.code.slice(node.end)
      const comment = /^[)\]};,]*[^\S\n]*\n?[^\S\n]*\/\/ => ?(.*(?:\n[^\S\n]*\/\/(?: .*)?(?=\n|$))*)/.exec(after)?.[1]
      if (comment !== undefined) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart())
        const text = words(comment.replace(/\n\s*\/\//g, "\n"))
        found.push({ line: line + 1, text, start: node.expression.getStart(), end: node.expression.end })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  const stated = snippet.code.split("\n").flatMap((line, index) => (line.includes("// =>") ? [index + 1] : []))
  if (stated.length !== found.length) {
    throw new Error(`${snippet.source}:${stated.join(",")} not every "// =>" comment follows a console.log`)
  }
  return found
}

/** What the comments of a snippet say that it prints. */
export const statedBy = (snippet: Snippet): Array<string> => expectations(snippet).map(({ text }) => text)

/** Runs a snippet and returns its output beside the stated output. */
export const runSnippet = async (snippet: Snippet) => {
  const expected = expectations(snippet)
  const printed = new Map(expected.map(({ line }) => [line, [] as string[]]))
  const recorder = `docs:${fileOf(snippet)}`
  Object.assign(globalThis, {
    [recorder]:
      (line: number) =>
      (...values: ReadonlyArray<unknown>) =>
        void printed.get(line)!.push(formatWithOptions({ colors: false }, ...values))
  })
  // The executed copy also records the line of each of these calls.
  const code = expected.reduceRight(
    (text, { end, line, start }) =>
      `${text.slice(0, start)}globalThis[${JSON.stringify(recorder)}](${line})${text.slice(end)}`,
    snippet.code
  )
  const file = join(workspace, fileOf(snippet))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
  await import(file).catch((error: Error) => {
    const line = error.stack?.split(`${fileOf(snippet)}:`)[1]?.match(/^\d+/)?.[0] ?? snippet.line
    throw new Error(`${snippet.source}:${line} ${error.message}`, { cause: error })
  })
  return {
    printed: [...printed].map(([line, texts]): Printed => ({ line, text: words(texts.join("\n")) })),
    expected: expected.map(({ line, text }): Printed => ({ line, text }))
  }
}
