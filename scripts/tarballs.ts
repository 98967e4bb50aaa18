// Checks what is in the packed packages, and lists them.
//
//   node scripts/tarballs.ts FOLDER     the folder that scripts/pack has filled
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative, resolve } from "node:path"
import { problemsOf } from "./tarballs.check.ts"

const workspace = join(import.meta.dirname, "..")
const packed = resolve(process.argv[2] ?? ".")
const scratch = mkdtempSync(join(tmpdir(), "stepgraph-tarballs-"))

const below = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))

const problems: Array<string> = []
try {
  for (const folder of readdirSync(join(workspace, "packages"))) {
    const {
      name,
      private: hidden,
      version
    } = JSON.parse(readFileSync(join(workspace, "packages", folder, "package.json"), "utf8"))
    if (hidden) continue
    const tarball = join(packed, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`)
    const into = mkdtempSync(join(scratch, "one-"))
    // Given as a file, a path with the letter of a drive is another machine to some versions of tar.
    execFileSync("tar", ["-xzf", "-"], { cwd: into, input: readFileSync(tarball) })
    const inside = join(into, "package")
    const files = new Map(below(inside).map((file) => [file, readFileSync(join(inside, file), "utf8")]))
    const directory = `packages/${folder}`
    problems.push(...problemsOf({ manifest: JSON.parse(files.get("package.json")!), directory, files }))
    const others = [...files.keys()].filter((file) => !file.startsWith("dist/") && !file.startsWith("templates/"))
    const counted = ["dist", "templates"].flatMap((part) => {
      const count = [...files.keys()].filter((file) => file.startsWith(`${part}/`)).length
      return count > 0 ? [`${part}/ with ${count} files`] : []
    })
    const size = (statSync(tarball).size / 1e3).toFixed(0)
    console.log(`${name}@${version}, ${size} kB: ${[...others.toSorted(), ...counted].join(", ")}`)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
if (problems.length > 0) throw new Error(problems.join("\n"))
