// The command in this process, with everything that it reads and writes given to it.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest"
import { create } from "../src/internal/create.ts"

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "create-"))
})
afterAll(() => rm(cwd, { recursive: true }))

const agents = {
  npm: "npm/11.6.2 node/v24.21.0 linux x64 workspaces/false",
  pnpm: "pnpm/10.34.9 npm/? node/v24.21.0 linux x64",
  yarn: "yarn/1.22.22 npm/? node/v24.21.0 linux x64",
  bun: "bun/1.4.0 npm/? node/v24.3.0 linux x64"
}

const run = async (
  args: ReadonlyArray<string>,
  agent = agents.npm,
  signal = new AbortController().signal,
  folder = cwd
) => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await create({ args, cwd: folder, env: { npm_config_user_agent: agent }, stdin, stdout, stderr, signal })
  const text = (stream: PassThrough) => String(stream.read() ?? "").trim()
  return { code, stdout: text(stdout), stderr: text(stderr) }
}

const files = async (folder: string) =>
  (await readdir(join(cwd, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(cwd, folder), join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort()

describe("a project", () => {
  it.each([
    ["plain", ["src/flow.test.ts", "src/flow.ts", "src/main.ts"]],
    [
      "agent",
      [
        "notes/monday.md",
        "notes/tuesday.md",
        "notes/wednesday.md",
        ...["agent", "conversation", "flow.test", "flow", "main", "model", "scripted", "tools"].map(
          (n) => `src/${n}.ts`
        )
      ]
    ],
    ["server", ["client", "flow.test", "flow", "main", "server.test", "server"].map((name) => `src/${name}.ts`)]
  ])("of the template %s has its files, and the name of the folder", async (template, sources) => {
    const { code, stderr } = await run([`${template}-app`, "--template", template, "--no-install", "--no-git"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const all = [".gitignore", "README.md", "package.json", ...sources, "tsconfig.json"]
    expect(await files(`${template}-app`)).toEqual(all.sort())
    const read = (file: string) => readFile(join(cwd, `${template}-app`, file), "utf8")
    expect(JSON.parse(await read("package.json"))).toMatchObject({ name: `${template}-app`, private: true })
    expect(await read("README.md")).toMatch(new RegExp(`^# ${template}-app\n`))
    expect(await read(".gitignore")).toContain("node_modules/")
  })

  it.each([
    ["npm", ["cd with-npm", "npm install", "npm run dev", "npm start", "npm test"], "npm start -- coffee"],
    ["pnpm", ["cd with-pnpm", "pnpm install", "pnpm dev", "pnpm start", "pnpm test"], "pnpm start coffee"],
    ["yarn", ["cd with-yarn", "yarn install", "yarn dev", "yarn start", "yarn test"], "yarn start coffee"],
    ["bun", ["cd with-bun", "bun install", "bun run dev", "bun run start", "bun run test"], "bun run start coffee"]
  ] as const)("goes on with %s, if that created it", async (name, commands, example) => {
    const { stdout } = await run([`with-${name}`, "--no-install", "--no-git"], agents[name])
    expect(stdout).toMatch(new RegExp(`^Created 'with-${name}' from the template 'plain'\\. Next:\n`))
    expect([...stdout.matchAll(/^ {2}(.*?)(?: {2}.*)?$/gm)].map(([, command]) => command)).toEqual(commands)
    const readme = await readFile(join(cwd, `with-${name}`, "README.md"), "utf8")
    for (const command of commands.slice(2)) expect(readme).toContain(`\n| \`${command}\` | `)
    expect(readme).toContain(`\`${example}\``)
  })

  it("goes into a folder that is empty but for a repository, however deep, and into this one", async () => {
    await mkdir(join(cwd, "cloned/.git"), { recursive: true })
    expect((await run(["cloned", "--no-install"])).code).toBe(0)
    expect(await readdir(join(cwd, "cloned/.git"))).not.toEqual([])
    await mkdir(join(cwd, "here"))
    const here = await run([".", "--no-install", "--no-git"], agents.npm, undefined, join(cwd, "here"))
    expect(here.stdout).toMatch(/^Created 'here' from the template 'plain'\. Next:\n\n {2}npm install\n/)
    const { code, stdout } = await run(["new folders/deep", "--no-install", "--no-git"])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining(`  cd "${join("new folders", "deep")}"\n`)
    })
  })

  it("tells what failed if the packages cannot be installed, and keeps the files", async () => {
    vi.stubEnv("PATH", cwd)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { code, stderr, stdout } = await run(["without-npm", "--git"])
    expect(code).toBe(1)
    expect(stderr).toBe(
      "No git repository was created: 'git init' failed, or git is not installed.\n\n'npm install' failed, so the packages are not installed. The files of the project are there."
    )
    expect(stdout).toMatch(/^ {2}npm install$/m)
    expect(await files("without-npm")).toContain("src/flow.ts")
  })
})

describe("what is refused", () => {
  beforeAll(async () => {
    await mkdir(join(cwd, "full"))
    for (const name of ["a", "b", "c", "d"]) await writeFile(join(cwd, "full", name), "")
  })

  const named = "Name the folder of the new project"
  const rule = "it may have up to 214 lower-case letters, digits and -._~, and must begin with a letter or a digit"
  it.each([
    ["no name without a terminal", [], `${named}: npm create stepgraph@latest my-app`],
    ["no name with --yes", ["--yes"], `${named}: npm create stepgraph@latest my-app`],
    [
      "a folder with something in it",
      ["full"],
      "The folder 'full' exists and is not empty (a, b, c, …). Choose another name, or empty it first."
    ],
    ["a file", ["full/a"], "'full/a' is a file or is inside one: name a folder that does not exist yet."],
    [
      "an unknown template",
      ["my-app", "-t", "pylon"],
      "There is no template 'pylon'. The templates are plain, agent, server."
    ],
    ["a template without a name", ["my-app", "--template"], "--template needs a value: plain, agent, server."],
    ["an invalid name", ["My App"], `'My App' cannot be the name of your project: ${rule}. Try 'my-app'.`],
    ["a name without letters", ["___"], `'___' cannot be the name of your project: ${rule}. Try 'my-app'.`],
    [
      "the name of a package that it needs",
      ["stepgraph"],
      "'stepgraph' cannot be the name of your project, because npm needs that name for something else. Choose another."
    ],
    ["an unknown option", ["my-app", "--typescript"], "There is no option --typescript. --help lists all options."],
    ["a value for a switch", ["my-app", "--git=no"], "--git takes no value: leave out 'no'."],
    ["an option with its opposite", ["my-app", "--git", "--no-git"], "Give either --git or --no-git, not both."],
    [
      "two folders, as npm makes of an option without --",
      ["my-app", "agent"],
      "Name one folder, not 'my-app' and 'agent'. With npm, put -- before the options: npm create stepgraph@latest my-app -- --template agent"
    ]
  ])("%s", async (_, args, message) => {
    const before = await readdir(cwd, { recursive: true })
    expect(await run(args)).toEqual({ code: 2, stdout: "", stderr: message })
    expect(await readdir(cwd, { recursive: true })).toEqual(before)
  })

  it("an interrupted command leaves nothing, neither a folder nor anything in one that was there", async () => {
    await mkdir(join(cwd, "empty/.git"), { recursive: true })
    for (const folder of ["not/yet", "empty"]) {
      expect(await run([folder], agents.npm, AbortSignal.abort())).toEqual({
        code: 130,
        stdout: "",
        stderr: "Cancelled: nothing was created."
      })
    }
    expect(await readdir(cwd)).not.toContain("not")
    expect(await readdir(join(cwd, "empty"))).toEqual([".git"])
  })
})

it("shows its options as the package manager takes them, and its version", async () => {
  const { stdout, ...rest } = await run(["--help"])
  expect(rest).toEqual({ code: 0, stderr: "" })
  expect(stdout).toMatch(
    /^Creates a project with stepgraph\.\n\n {2}npm create stepgraph@latest \[folder\] -- \[options\]\n/
  )
  for (const option of [
    "--template",
    "--install",
    "--no-install",
    "--git",
    "--no-git",
    "--yes",
    "--help",
    "--version"
  ]) {
    expect(stdout).toContain(option)
  }
  expect((await run(["-h"], agents.pnpm)).stdout).toContain("  pnpm create stepgraph [folder] [options]\n")
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"))
  expect(await run(["--version"])).toEqual({ code: 0, stdout: version, stderr: "" })
})
