// Releases every package: checks that all is ready, runs every check, packs, shows what npm would publish, and lets GitHub
// publish it, with provenance (.github/workflows/release.yml), by its command `gh`.
//
//   npx -y pnpm@10.34.9 release             does all of it
//   npx -y pnpm@10.34.9 release --dry-run   publishes nothing, and goes on where a release would not begin
//   … --checked                             leaves out `.ci/run`, if CI has passed for this commit
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { notesOf, refusals } from "./release.check.ts"

const { values } = parseArgs({ options: { "dry-run": { type: "boolean" }, checked: { type: "boolean" } } })
const dry = values["dry-run"] === true
const workspace = join(import.meta.dirname, "..")
process.chdir(workspace)

const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { encoding: "utf8" }).trim()
const lines = (text: string) => text.split("\n").filter((line) => line !== "")
const text = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined)
const done = (what: string) => console.log(`\n== ${what}`)

const run = (command: string, args: ReadonlyArray<string>): void => {
  const { error, status } = spawnSync(command, args, { stdio: "inherit" })
  if (error !== undefined || status !== 0) throw new Error(`${command} ${args.join(" ")} failed: nothing is released`)
}

const packages = new Map<string, { readonly version: string; readonly changelog: string | undefined }>()
for (const folder of readdirSync("packages")) {
  const { name, private: hidden, version } = JSON.parse(readFileSync(`packages/${folder}/package.json`, "utf8"))
  if (!hidden) packages.set(name, { version, changelog: text(`packages/${folder}/CHANGELOG.md`) })
}

const remote = lines(git("remote")).includes("origin")
if (remote) git("fetch", "--quiet", "--tags", "origin", "main")
const reasons = refusals({
  changes: lines(git("status", "--short")),
  branch: git("branch", "--show-current"),
  head: git("rev-parse", "HEAD"),
  remote: remote ? git("rev-parse", "origin/main") : undefined,
  packages,
  fixed: JSON.parse(readFileSync(".changeset/config.json", "utf8")).fixed.flat(),
  changesets: readdirSync(".changeset").filter((file) => file.endsWith(".md") && file !== "README.md"),
  tags: lines(git("tag", "--list"))
})
if (reasons.length > 0) {
  console.error(`${dry ? "A release would not begin:" : "Nothing is released."}\n\n${reasons.join("\n\n")}`)
  if (!dry) process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), "stepgraph-release-"))
try {
  if (!values.checked) {
    done("every check")
    run(".ci/run", [])
  }
  done("pack")
  run("scripts/pack", [folder])
  run("node", ["scripts/tarballs.ts", folder])
  done("what npm would publish")
  for (const file of readdirSync(folder))
    run("npm", ["publish", join(folder, file), "--dry-run", "--access", "public", "--loglevel", "notice"])
  done("release notes")
  for (const [name, { changelog, version }] of packages)
    console.log(`${name}@${version}\n\n${notesOf(changelog!, version)}\n`)
  if (dry) done(`nothing is published: this was a dry run of ${packages.size} packages`)
  else {
    done("publish")
    run("gh", ["workflow", "run", "release.yml", "--ref", "main"])
    console.log("GitHub publishes it once a maintainer has approved: gh run list --workflow release.yml")
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
