// The command as a program in a terminal.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { inTerminal, needsTerminal } from "@stepgraph/conformance/support/pty"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"

// Each test starts a program while other tests run.
vi.setConfig({ testTimeout: 60_000 })

const bin = join(import.meta.dirname, "../bin.js")

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "create-"))
})
afterAll(() => rm(cwd, { recursive: true }))

describe("in a terminal", () => {
  needsTerminal()
  // Whichever package manager runs the tests.
  beforeEach(() => void vi.stubEnv("npm_config_user_agent", "npm/11.0.0 node/v24.0.0"))
  afterEach(() => void vi.unstubAllEnvs())

  it("asks for what no option says, and again after an answer that it cannot take", async () => {
    const { see, type, ended } = inTerminal([bin, "--no-install"], { cwd })
    const answer = async (question: RegExp, text: string) => {
      await see(question)
      type(`${text}\r`)
    }
    await answer(/^Which folder\? \(my-app\)$/, "My App")
    await see(/Try 'my-app'/)
    await answer(/^Which folder\? \(my-app\)$/, "")
    await answer(/^Which template\? \(1\)$/, "4")
    await see(/^Answer with a number or a name: plain, agent, server\.$/)
    type("3\r")
    await answer(/^Create a git repository\? \(yes\)$/, "maybe")
    await see(/^Answer yes or no\.$/)
    type("no\r")
    const { code, lines } = await ended()
    expect(code).toBe(0)
    expect(lines.slice(lines.indexOf("  1  plain   steps that run side by side and come together again"))).toEqual([
      "  1  plain   steps that run side by side and come together again",
      "  2  agent   a model that uses tools, and asks you before it writes",
      "  3  server  workflows over HTTP, with a page and a client",
      "Which template? (1) 4",
      "Answer with a number or a name: plain, agent, server.",
      "Which template? (1) 3",
      "Create a git repository? (yes) maybe",
      "Answer yes or no.",
      "Create a git repository? (yes) no",
      "",
      "Created 'my-app' from the template 'server'. Next:",
      "",
      "  cd my-app",
      "  npm install",
      "  npm run dev  starts and shows runs on a page",
      "  npm start    runs the program",
      "  npm test     tests it in every order of events"
    ])
    const project = await readdir(join(cwd, "my-app"))
    expect(project).toContain("src")
    expect(project).not.toContain(".git")
    expect(JSON.parse(await readFile(join(cwd, "my-app/package.json"), "utf8")).scripts).toHaveProperty("client")
  })

  it("Ctrl-C at a question leaves nothing", async () => {
    const { see, type, ended } = inTerminal([bin, "asked"], { cwd })
    await see(/^Which template\? \(1\)$/)
    type("\u0003")
    const { code, lines } = await ended()
    expect(code).toBe(130)
    expect(lines.at(-1)).toBe("Cancelled: nothing was created.")
    expect(await readdir(cwd)).not.toContain("asked")
  })

  // The package manager of this test is a shell script.
  it.skipIf(process.platform === "win32")("Ctrl-C during the installation leaves nothing either", async () => {
    // A package manager that never ends by itself, and has written something already.
    const path = join(cwd, "bin")
    await mkdir(path)
    await writeFile(join(path, "npm"), "#!/bin/sh\nmkdir -p node_modules/effect\necho installing\nexec sleep 600\n")
    await chmod(join(path, "npm"), 0o755)
    vi.stubEnv("PATH", path + delimiter + process.env.PATH)
    const { see, type, ended } = inTerminal([bin, "interrupted", "--yes"], { cwd })
    await see(/^installing$/)
    type("\u0003")
    const { code, lines } = await ended()
    expect(code).toBe(130)
    expect(lines.at(-1)).toBe("Cancelled: nothing was created.")
    expect(await readdir(cwd)).not.toContain("interrupted")
  })
})
