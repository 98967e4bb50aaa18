// Measures what each public package weighs, and compares it with the table in the documentation.
//
//   node scripts/sizes.ts FOLDER     the folder that scripts/pack has filled
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { documented, type Measured, rows } from "./sizes.table.ts"

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
const scratch = mkdtempSync(join(tmpdir(), "stepgraph-sizes-"))

interface Installed {
  readonly folder: string
  readonly packages: number
  readonly bytes: number
}

const install = (names: Iterable<string>): Installed => {
  const folder = mkdtempSync(join(scratch, "one-"))
  writeFileSync(join(folder, "package.json"), '{ "private": true }')
  const what = [...[...names].map(tarball), `effect@${effect}`]
  const options = ["--silent", "--no-audit", "--no-fund", "--no-bin-links", "--prefer-offline"]
  execFileSync("npm", ["install", ...options, ...what], {
    cwd: folder,
    stdio: "inherit",
    shell: process.platform === "win32"
  })
  const lock = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8"))
  return { folder, packages: Object.keys(lock.packages).length, bytes: sizeOf(join(folder, "node_modules")) }
}

/** The size of a program, bundled from an installation: minified, tree-shaken and compressed. */
const bundle = async (program: string, { folder }: Installed): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: folder, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:*", "@effect/sql-pg"],
    target: "es2022",
    write: false
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

const programs = "packages/benchmarks/src/programs"
const alone = read(`${programs}/effect-alone.ts`)
const seed = read(`${programs}/seed.ts`)
/** What a program that runs the seed flow imports besides, and uses. */
const uses: Readonly<Record<string, string>> = {
  "@stepgraph/testing": `import { explorePromise } from "@stepgraph/testing"; globalThis.used = explorePromise`,
  "@stepgraph/viz": `import { timeline, toSvg } from "@stepgraph/viz"; globalThis.used = [timeline, toSvg]`,
  "@stepgraph/durable": `import { durable, openDurable } from "@stepgraph/durable"; globalThis.used = [durable, openDurable]`,
  "@stepgraph/server": `import { bearer, serve } from "@stepgraph/server"; globalThis.used = [bearer, serve]`,
  "@stepgraph/page": `import { page } from "@stepgraph/page"; globalThis.used = page`
}

try {
  const effectAlone = install([])
  const library = install(["stepgraph"])
  const [aloneBundled, seedBundled] = [await bundle(alone, effectAlone), await bundle(seed, library)]
  const effectFolder = join(effectAlone.folder, "node_modules/effect")
  const measured = new Map<string, Measured>()
  for (const name of manifests.keys()) {
    const before = name === "stepgraph" ? effectAlone : library
    const now = name === "stepgraph" ? library : install(needed(name, needed("stepgraph")))
    const use = uses[name]
    const typical = name === "stepgraph" ? seedBundled : use && (await bundle(`${seed}\n${use}`, now))
    const without = name === "stepgraph" ? aloneBundled : seedBundled
    const own = join(now.folder, "node_modules", name)
    measured.set(name, {
      packed: statSync(tarball(name)).size,
      unpacked: sizeOf(own),
      packages: now.packages - before.packages,
      installed: now.bytes - before.bytes,
      bundled: typeof typical === "number" ? typical - without : undefined
    })
  }
  console.log(rows(measured).join("\n"))
  console.log(`effect: ${sizeOf(effectFolder)} bytes, and ${aloneBundled} bytes of a bundle`)
  const { packages } = measured.get("stepgraph")!
  if (packages !== 1) throw new Error(`stepgraph must bring nothing but itself, and adds ${packages} packages`)
  const wrong = documented(read("docs/installing.md"), measured)
  if (wrong.length > 0) throw new Error(`The table in docs/installing.md differs:\n${wrong.join("\n")}`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
