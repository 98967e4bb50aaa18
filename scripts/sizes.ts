// Measures what each public package adds to an installation, and compares it with the table in the documentation.
//
//   node scripts/install-sizes.ts FOLDER     the folder with the packed packages
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { documented, type Measured, rows } from "./install-sizes.table.ts"

const workspace = join(import.meta.dirname, "..")
const packed = resolve(process.argv[2] ?? ".")
const read = (file: string) => readFileSync(join(workspace, file), "utf8")

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

const manifests = new Map<string, Manifest>()
for (const folder of readdirSync(join(workspace, "packages"))) {
  const manifest: Manifest = JSON.parse(read(`packages/${folder}/package.json`))
  // What `npm create` runs is not installed in a project.
  if (!manifest.private && !manifest.name.startsWith("create-")) manifests.set(manifest.name, manifest)
}

/** A package with those of this workspace that it needs. */
const needed = (name: string, found = new Set<string>()): Set<string> => {
  const manifest = manifests.get(name)
  if (manifest === undefined || found.has(name)) return found
  found.add(name)
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest
  const peers = Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional)
  for (const other of [...Object.keys(dependencies), ...peers]) needed(other, found)
  return found
}

const tarball = (name: string) =>
  join(packed, `${name.replace("@", "").replace("/", "-")}-${manifests.get(name)!.version}.tgz`)

const sizeOf = (path: string): number => {
  const stats = statSync(path)
  return stats.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stats.size
}

const effect = JSON.parse(read("node_modules/effect/package.json")).version
const scratch = mkdtempSync(join(tmpdir(), "stepgraph-install-"))

const installed = (names: Iterable<string>): Measured => {
  const folder = mkdtempSync(join(scratch, "one-"))
  writeFileSync(join(folder, "package.json"), '{ "private": true }')
  const what = [...[...names].map(tarball), `effect@${effect}`]
  const options = ["--silent", "--no-audit", "--no-fund", "--no-bin-links"]
  execFileSync("npm", ["install", ...options, ...what], {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32"
  })
  const lock = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8"))
  return {
    packages: Object.keys(lock.packages).length,
    mebibytes: sizeOf(join(folder, "node_modules")) / 1024 / 1024
  }
}

try {
  const alone = installed([])
  const library = installed(["stepgraph"])
  const measured = new Map<string, Measured>([["effect", alone]])
  for (const name of manifests.keys()) {
    const before = name === "stepgraph" ? alone : library
    const { mebibytes, packages } = name === "stepgraph" ? library : installed(needed(name, needed("stepgraph")))
    measured.set(name, { packages: packages - before.packages, mebibytes: mebibytes - before.mebibytes })
  }
  console.log(rows(measured).join("\n"))
  const { packages } = measured.get("stepgraph")!
  if (packages !== 1) throw new Error(`stepgraph must bring nothing but itself, and adds ${packages} packages`)
  const wrong = documented(read("docs/dev.md"), measured)
  if (wrong.length > 0) throw new Error(`The table in docs/dev.md differs:\n${wrong.join("\n")}`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
