import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { findFiles, readText, whyNotSearchable, whyUnreadable } from "./files.ts"

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "files-"))
  for (const folder of ["a/b", ".hidden", "node_modules/x"]) await mkdir(join(root, folder), { recursive: true })
  for (const file of ["z.md", "a/b/deep.md", "a/code.ts", ".hidden/x.md", "node_modules/x/x.md", ".dot.md"]) {
    await writeFile(join(root, file), file)
  }
  await symlink("..", join(root, "a/loop"))
  await symlink("self", join(root, "self"))
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe("findFiles", () => {
  const found = async (...patterns: ReadonlyArray<string>) => {
    const files: Array<string> = []
    for await (const file of findFiles(root, patterns)) files.push(file)
    return files
  }

  it("lists everything not hidden or installed, by name, without following links", async () => {
    expect(await found("**/*")).toEqual(["a/b/deep.md", "a/code.ts", "a/loop", "self", "z.md"])
  })

  it("lists files that match any pattern", async () => {
    expect(await found("*.md")).toEqual(["z.md"])
    expect(await found("**/*.md", "a/*.ts")).toEqual(["a/b/deep.md", "a/code.ts", "z.md"])
  })
})

it("whyNotSearchable explains what is wrong with a folder, if anything", async () => {
  expect(await whyNotSearchable(root)).toBeUndefined()
  expect(await whyNotSearchable("no/such")).toBe("There is no folder no/such.")
  expect(await whyNotSearchable(join(root, "z.md"))).toBe(`${join(root, "z.md")} is a file; a folder is needed.`)
  expect(await whyNotSearchable(join(root, "self"))).toMatch(/is a circular link\.$/)
})

describe("readText", () => {
  const why = (file: string) =>
    readText(join(root, file)).then(
      () => "is fine",
      (error) => whyUnreadable(error)
    )

  it("returns the text without a byte order mark", async () => {
    await writeFile(join(root, "mark.txt"), "\uFEFFhallo ü")
    expect(await readText(join(root, "mark.txt"))).toBe("hallo ü")
  })

  it("explains a failure", async () => {
    await writeFile(join(root, "zero.bin"), new Uint8Array([65, 0, 66]))
    await writeFile(join(root, "latin.txt"), new Uint8Array([0x6c, 0xe9, 0x67]))
    await writeFile(join(root, "huge.log"), "")
    await truncate(join(root, "huge.log"), 9 * 1024 * 1024)
    expect(await why("zero.bin")).toBe("is binary, not text")
    expect(await why("latin.txt")).toBe("is not UTF-8 text")
    expect(await why("huge.log")).toBe("is larger than 8 MB")
    expect(await why("gone.md")).toBe("no longer exists, or is a broken link")
    expect(await why("a/loop")).toBe("is a folder that was not searched: a link, or closed to you")
    expect(await why("self")).toBe("is a circular link")
  })

  it.skipIf(process.getuid?.() === 0)("reports a missing permission", async () => {
    await writeFile(join(root, "secret.md"), "", { mode: 0o000 })
    expect(await why("secret.md")).toBe("cannot be read: permission denied")
  })
})
