// The demo as a person meets it: the whole command, its sentences and its exit codes.
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"

// Each test starts a program, and many do so at once: on a busy machine the last of them waits for a while.
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 4 })

const main = fileURLToPath(new URL("./main.ts", import.meta.url))
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "search-"))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const demo = (args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env
    execFile(process.execPath, [main, ...args], { cwd: root, env: { ...inherited, ...env } }, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err })
    )
  })

/** A folder with these files, and its name as it is given on the command line. */
const folder = async (name: string, files: Record<string, string | Uint8Array> = {}) => {
  await mkdir(join(root, name))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name, path)), { recursive: true })
    await writeFile(join(root, name, path), content)
  }
  return name
}

const docs = {
  "guide.md": "# Guide\n\nHello.\n\n## Retries\n\nTry again with a backoff that grows.\n",
  "deep/er/clock.md": "# Time\n\nTests use a virtual clock.\n",
  "api.ts": "/** Waits. */\nexport const sleep = (ms: number) => ms\n"
}
const binary = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0])

describe.concurrent("an answer", () => {
  it("is ranked passages with file and line, and how the work went", async () => {
    const { code, out, err } = await demo([await folder("good", docs), "how do I retry with backoff?"])
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out.split("\n")[1]).toMatch(/^ 1 Guide › Retries +guide\.md:5$/)
    expect(out).toContain("   Try again with a backoff that grows.\n   keyword 1 · fuzzy 1 · symbols 1\n")
    expect(out).toContain("for “how do I retry with backoff?”\nin 4 passages of 3 files of good\n")
    expect(out).toMatch(/^read +3 +[123] +[\d.]+ m?s +━+$/m)
    for (const step of ["find", "index", "keyword", "fuzzy", "symbols", "fuse"]) {
      expect(out).toMatch(new RegExp(`^${step} +1 +1 +[\\d.]+ m?s +━+$`, "m"))
    }
  })

  it("comes from the files that --files names, --top at most", async () => {
    const files = { "a.md": "# Clock one", "b.md": "# Clock two", "c.txt": "clock clock clock" }
    const { out } = await demo(["--", "--files", "*.md", "--top", "1", await folder("some", files), "clock"])
    expect(out).toContain("1 of 2 hits for “clock”\nin 2 passages of 2 files of some\n")
  })

  it("has colour only where that is wanted", async () => {
    const name = await folder("colour", docs)
    const [{ out: plain }, { out: coloured }] = await Promise.all([
      demo([name, "retries"], { NO_COLOR: "1" }),
      demo([name, "retries"], { FORCE_COLOR: "1" })
    ])
    expect(stripVTControlCharacters(plain)).toBe(plain)
    expect(coloured).not.toBe(stripVTControlCharacters(coloured))
    expect(stripVTControlCharacters(coloured).split("\n")[1]).toBe(plain.split("\n")[1])
  })

  it("to its own question, about Effect, is one that helps, within 100 columns", async () => {
    const { code, out, err } = await demo([])
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out).toMatch(/^ 1 Types\.Concurrency +src\/Types\.ts:\d+$/m)
    expect(out).toMatch(/^ \d Semaphore\.make +src\/Semaphore\.ts:\d+$/m)
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100)
  })
})

describe.concurrent("one bad file never loses the others", () => {
  it("each is reported at the end, with the reason", async () => {
    const name = await folder("mixed", {
      ...docs,
      "logo.png": binary,
      "latin.txt": new Uint8Array([0x6c, 0xe9, 0x67, 0x65, 0x72])
    })
    await symlink("/nowhere/at/all", join(root, name, "gone.md"))
    await symlink("deep", join(root, name, "link"))
    const { code, out, err } = await demo([name, "retries with backoff"])
    expect(code).toBe(0)
    expect(out).toMatch(/^ 1 Guide › Retries +guide\.md:5$/m)
    expect(out).toContain("of 3 files of mixed\n")
    expect(err.trim().split("\n")).toEqual([
      "4 files could not be searched:",
      "  gone.md is gone, or a link to nothing",
      "  latin.txt is not UTF-8 text",
      "  link is a folder that was not searched: a link, or closed to you",
      "  logo.png is binary, not text"
    ])
  })
})

describe.concurrent("where nothing can be answered", () => {
  const refuses = (what: string, args: () => Promise<ReadonlyArray<string>>, code: number, err: string) =>
    it(`${what} is told in a sentence`, async () => {
      expect(await demo(await args())).toEqual({ code, out: "", err })
    })

  refuses("a missing folder", async () => ["./no/such", "retry"], 1, "There is no folder ./no/such.\n")
  refuses(
    "an empty folder",
    async () => [await folder("empty"), "retry"],
    1,
    "There are no files to search in empty.\n"
  )
  refuses(
    "a folder without text",
    async () => [await folder("textless", { "a.bin": binary, "empty.md": "" }), "retry"],
    1,
    "There is no text to search in textless.\n1 file could not be searched:\n  a.bin is binary, not text\n"
  )
  refuses(
    "a question about something else",
    async () => [await folder("else", docs), "zebra crossings"],
    1,
    "Nothing that was searched has to do with “zebra crossings”.\n"
  )
  refuses("an empty question", async () => [".", "  "], 2, "The question is empty.\nSee --help.\n")
  refuses("an unknown flag", async () => ["--colour", "retry"], 2, "Unknown option '--colour'\nSee --help.\n")
})
