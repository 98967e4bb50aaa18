// Cuts a text into passages: a section of Markdown, a doc comment with its declaration, or a few paragraphs.
import { basename, extname } from "node:path"
import { plainWords } from "./words.ts"

export interface Passage {
  readonly file: string
  /** The passage's first line in its file, counted from 1. */
  readonly line: number
  /** The headings above it (`Guide › Retries`), or the name that its code declares (`Schedule.exponential`). */
  readonly title: string
  readonly text: string
  /** The words as the retrievers compare them, computed once for all retrievers. */
  readonly words: ReadonlyArray<string>
}

/** A passage is cut at the first blank line after this many lines, and at the latest after three times as many. */
const longest = 40

export const split = (file: string, text: string): ReadonlyArray<Passage> => {
  const lines = text.split(/\r?\n/)
  const isCode = /\.[cm]?[jt]sx?$/i.test(file)
  const isMarkdown = /\.(md|mdx|markdown)$/i.test(file)
  const titles = isMarkdown ? headings(file, lines) : isCode ? declarations(file, lines) : new Map<number, string>()
  const documented = isCode && titles.size > 0

  const passages: Array<Passage> = []
  const seen = new Set<string>()
  let start = 0
  let title = basename(file)
  let fenced = false
  const cut = (end: number) => {
    const first = lines.findIndex((line, index) => index >= start && index < end && line.trim() !== "")
    if (first >= 0 && !(documented && isBare(lines.slice(first, end)))) {
      const content = plain(lines.slice(first, end))
      // Overloads repeat their function's comment; keep one.
      const said = `${title}\n${content.split("\n", 1)[0]}`
      if (content !== "" && !seen.has(said)) {
        passages.push({ file, line: first + 1, title, text: content, words: plainWords(content) })
      }
      seen.add(said)
    }
    start = end
  }
  for (const [index, line] of lines.entries()) {
    const length = index - start
    const opens = titles.get(index)
    if (opens !== undefined) {
      cut(index)
      title = opens
    } else if (length >= 3 * longest || (length >= longest && !fenced && line.trim() === "")) {
      cut(index)
    }
    if (isFence(line)) fenced = !fenced
  }
  cut(lines.length)
  return passages
}

/** The line of each heading, with its parent headings. */
const headings = (file: string, lines: ReadonlyArray<string>): ReadonlyMap<number, string> => {
  const titles = new Map<number, string>()
  const path: Array<string> = []
  let fenced = false
  for (const [index, line] of lines.entries()) {
    if (isFence(line)) fenced = !fenced
    const [, marks, heading] = (!fenced && /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)) || []
    if (marks === undefined || heading === undefined) continue
    path.length = Math.min(path.length, marks.length - 1)
    path[marks.length - 1] = heading
    titles.set(index, path.filter(Boolean).join(" › ") || basename(file))
  }
  return titles
}

/** The line of each doc comment, with the module and the documented name. */
const declarations = (file: string, lines: ReadonlyArray<string>): ReadonlyMap<number, string> => {
  const titles = new Map<number, string>()
  const given = lines.map((line) => /^\W*@title (.+)/.exec(line)?.[1]).find((title) => title !== undefined)
  const module = given ?? basename(file, extname(file))
  let owner = module
  let end = -1
  for (const [index, line] of lines.entries()) {
    const opened = index > end && /^(\s*)\/\*\*/.exec(line)
    if (!opened) continue
    end = index
    while (end < lines.length - 1 && !lines[end]?.includes("*/")) end++
    const next = lines[end + 1] ?? ""
    const name = declared.exec(next)?.[1] ?? (opened[1] ? member.exec(next)?.[1] : undefined)
    if (!opened[1]) owner = name ?? module
    const titled = name ?? owner
    titles.set(index, titled === module ? module : `${module}${given ? " › " : "."}${titled}`)
  }
  return titles
}

const declared =
  /^\s*(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|var|function\*?|class|interface|type|enum|namespace)\s+([\w$]+)/
const member = /^\s*(?:readonly\s+|static\s+|async\s+)*([\w$]+)\s*\??[(:<]/

/** Code with hardly any comments, or marked as internal, is not documentation. */
const isBare = (lines: ReadonlyArray<string>) =>
  lines.filter((line) => /^\s*(?:\/\*|\*|\/\/)/.test(line)).length * 6 < lines.length ||
  lines.some((line) => /^\W*@internal\b/.test(line))

const isFence = (line: string) => /^\s*(?:\*\s)?\s*(```|~~~)/.test(line)

/** The readable text, without comment marks and documentation tags. */
const plain = (lines: ReadonlyArray<string>) =>
  lines
    .map((line) => line.replace(/^\s*(?:\/\*\*+|\*\/|\*(?= |$)) ?/, "").replace(/\s*\*\/\s*$/, ""))
    .filter((line) => !/^\s*@(since|category|stability|title)\b/.test(line))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
