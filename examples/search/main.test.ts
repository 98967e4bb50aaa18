// The demo as a user meets it: the whole command, its messages and its exit codes. A separate program is started only
// if that matters.
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { NoRuns, openDurable, type RunRecord, type StoredHandle } from "@stepgraph/durable"
import { demo } from "./demo.ts"

vi.setConfig({ testTimeout: 60_000 })

const main = fileURLToPath(new URL("./main.ts", import.meta.url))
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "search-"))
})
afterAll(() => rm(root, { recursive: true, force: true }))

interface Told {
  readonly code: unknown
  readonly out: string
  readonly err: string
}

const called = async (...args: ReadonlyArray<string>): Promise<Told> => {
  const heard = { out: "", err: "" }
  const hear = (name: keyof typeof heard) =>
    new Writable({
      write: (text, _, done) => {
        heard[name] += text
        done()
      }
    })
  const code = await demo(args, { stdout: hear("out"), stderr: hear("err") }, new AbortController().signal)
  const [out, err] = [heard.out, heard.err].map(stripVTControlCharacters) as [string, string]
  return { code, out, err }
}

const started = (args: ReadonlyArray<string>, env: Record<string, string>) =>
  new Promise<Told>((resolve) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env
    execFile(process.execPath, [main, ...args], { cwd: root, env: { ...inherited, ...env } }, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err })
    )
  })

/** Creates a folder with these files. */
const folder = async (name: string, files: Record<string, string | Uint8Array> = {}) => {
  const made = join(root, name)
  await mkdir(made)
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(made, path)), { recursive: true })
    await writeFile(join(made, path), content)
  }
  return made
}

const docs = {
  "guide.md": "# Guide\n\nHello.\n\n## Retries\n\nTry again with a backoff that grows.\n",
  "deep/er/clock.md": "# Time\n\nTests use a virtual clock.\n",
  "api.ts": "/** Waits. */\nexport const sleep = (ms: number) => ms\n"
}
const binary = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0])

describe("an answer", () => {
  it("lists ranked passages with file and line, and a timeline of the work", async () => {
    const good = await folder("good", docs)
    const { code, out, err } = await called(good, "how do I retry with backoff?")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out.split("\n")[1]).toMatch(/^ 1 Guide › Retries +guide\.md:5$/)
    expect(out).toContain("   Try again with a backoff that grows.\n   keyword 1 · fuzzy 1 · symbols 1\n")
    expect(out).toContain(`for “how do I retry with backoff?”\nin 4 passages of 3 files of ${good}\n`)
    expect(out).toMatch(/^read +3 +[123] +[\d.]+ m?s +━+$/m)
    for (const step of ["find", "index", "keyword", "fuzzy", "symbols", "fuse"]) {
      expect(out).toMatch(new RegExp(`^${step} +1 +1 +[\\d.]+ m?s +━+$`, "m"))
    }
  })

  it("uses the files that match --files, and shows --top passages at most", async () => {
    const files = { "a.md": "# Clock one", "b.md": "# Clock two", "c.txt": "clock clock clock" }
    const some = await folder("some", files)
    const { out } = await called("--", "--files", "*.md", "--top", "1", some, "clock")
    expect(out).toContain(`1 of 2 hits for “clock”\nin 2 passages of 2 files of ${some}\n`)
  })

  it("uses colour only on request", async () => {
    await folder("colour", docs)
    const [{ out: plain }, { out: coloured }] = await Promise.all([
      started(["colour", "retries"], { NO_COLOR: "1" }),
      started(["colour", "retries"], { FORCE_COLOR: "1" })
    ])
    expect(plain).toContain("3 files of colour\n")
    expect(stripVTControlCharacters(plain)).toBe(plain)
    expect(coloured).not.toBe(stripVTControlCharacters(coloured))
    expect(stripVTControlCharacters(coloured).split("\n")[1]).toBe(plain.split("\n")[1])
  })

  it("to its default question about Effect is helpful, within 100 columns", async () => {
    const { code, out, err } = await called()
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(out).toMatch(/^ 1 Types\.Concurrency +src\/Types\.ts:\d+$/m)
    expect(out).toMatch(/^ \d Semaphore\.make +src\/Semaphore\.ts:\d+$/m)
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100)
  })
})

describe("one bad file never loses the others", () => {
  it("reports each at the end, with the reason", async () => {
    const name = await folder("mixed", {
      ...docs,
      "logo.png": binary,
      "latin.txt": new Uint8Array([0x6c, 0xe9, 0x67, 0x65, 0x72])
    })
    await symlink("/nowhere/at/all", join(name, "gone.md"))
    await symlink("deep", join(name, "link"))
    const { code, out, err } = await called(name, "retries with backoff")
    expect(code).toBe(0)
    expect(out).toMatch(/^ 1 Guide › Retries +guide\.md:5$/m)
    expect(out).toContain(`of 3 files of ${name}\n`)
    expect(err.trim().split("\n")).toEqual([
      "4 files could not be searched:",
      "  gone.md no longer exists, or is a broken link",
      "  latin.txt is not UTF-8 text",
      "  link is a folder that was not searched: a link, or closed to you",
      "  logo.png is binary, not text"
    ])
  })
})

describe("without an answer", () => {
  const refuses = (what: string, args: () => Promise<ReadonlyArray<string>>, code: number, sentence: string) =>
    it(`${what} is explained in one sentence`, async () => {
      const given = await args()
      expect(await called(...given)).toEqual({ code, out: "", err: sentence.replace("<folder>", given[0]!) })
    })

  refuses("a missing folder", async () => [join(root, "no/such"), "retry"], 1, "There is no folder <folder>.\n")
  refuses(
    "an empty folder",
    async () => [await folder("empty"), "retry"],
    1,
    "There are no files to search in <folder>.\n"
  )
  refuses(
    "a folder without text",
    async () => [await folder("textless", { "a.bin": binary, "empty.md": "" }), "retry"],
    1,
    "There is no text to search in <folder>.\n1 file could not be searched:\n  a.bin is binary, not text\n"
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

it("as a program ends with the code of its answer", async () => {
  expect(await started(["--colour"], {})).toEqual({
    code: 2,
    out: "",
    err: "Unknown option '--colour'\nSee --help.\n"
  })
})

describe("a durable search", () => {
  it("goes on after kill -9 with what is stored, and gives a stored answer at once", async () => {
    const command = ["--durable", "runs.db", "--top", "1", "--files", "src/S*.ts", "how do I repeat a schedule"]
    const looking = async <A>(look: (run: StoredHandle) => Promise<A>): Promise<A | undefined> => {
      try {
        await using runs = await openDurable({ sqlite: join(root, "runs.db"), performs: false }, [])
        const [run] = await runs.list()
        return run && (await look(runs.stored(run.id)))
      } catch (error) {
        // The program has not made its file yet.
        if (error instanceof NoRuns) return undefined
        throw error
      }
    }
    const stored = async () => (await looking((run) => run.record()))?.journal ?? []
    const called = (journal: RunRecord["journal"]) => journal.flatMap((entry) => ("call" in entry ? [entry.call] : []))

    const first = spawn(process.execPath, ["--no-warnings", main, ...command], { cwd: root, stdio: "ignore" })
    await vi.waitUntil(async () => called(await stored()).some((call) => call.startsWith("read#")), {
      timeout: 50_000,
      interval: 5
    })
    first.kill("SIGKILL")
    await once(first, "exit")
    const before = called(await stored())
    expect(await looking(async (run) => (await run.record()).state)).toBe("active")

    const { code, out } = await started(command, {})
    expect(code).toBe(0)
    expect(out).toContain("1 of ")
    const [, ...rows] = out.slice(out.indexOf("step")).split("\n")
    const ran = Object.fromEntries(rows.map((row) => row.split(/ +/)).map(([step, runs]) => [step, Number(runs)]))
    const after = called(await stored())
    expect(after.slice(0, before.length)).toEqual(before)
    expect(new Set(after).size).toBe(after.length)
    // Stored calls were not made again.
    expect(ran).not.toHaveProperty("find")
    expect(ran.read).toBe(after.filter((call) => call.startsWith("read#")).length - (before.length - 1))

    expect((await started(command, {})).out).toContain("The answer was in runs.db.\n")
  })
})
