// Cuts a text into passages: a section of Markdown, a doc comment with what it documents, or a few paragraphs.
import { basename, extname } from "node:path"
import { plainWords } from "./words.ts"

export interface Passage {
  readonly file: string
  /** Where the passage starts in its file; the first line is 1. */
  readonly line: number
  /** The headings above it (`Guide › Retries`) or what its code declares (`Schedule.exponential`). */
  readonly title: string
  readonly text: string
  /** The text's words as the retrievers read them: found once here, for all of them. */
  readonly words: ReadonlyArray<string>
}

/** Passages are cut at the first blank line after this many lines, and at the latest after three times as many. */
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
      // Every overload repeats the comment of its function: once is enough.
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

/** Each heading's line, with the headings it stands under. */
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

/** Each doc comment's line, with the module and the name of what it documents. */
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

/** Code with hardly a line of comment, or marked as internal, is no documentation. */
const isBare = (lines: ReadonlyArray<string>) =>
  lines.filter((line) => /^\s*(?:\/\*|\*|\/\/)/.test(line)).length * 6 < lines.length ||
  lines.some((line) => /^\W*@internal\b/.test(line))

const isFence = (line: string) => /^\s*(?:\*\s)?\s*(```|~~~)/.test(line)

/** What a person would read: comment marks and the tags of a documentation generator are left out. */
const plain = (lines: ReadonlyArray<string>) =>
  lines
    .map((line) => line.replace(/^\s*(?:\/\*\*+|\*\/|\*(?= |$)) ?/, "").replace(/\s*\*\/\s*$/, ""))
    .filter((line) => !/^\s*@(since|category|stability|title)\b/.test(line))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
