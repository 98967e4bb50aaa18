/**
 * Builds the site in `dist/`, for any static host, and checks its links.
 *
 *   npx -y pnpm@10.34.9 site:build                   # to be served from the root of a host
 *   SITE_BASE=/stepgraph/ npx -y pnpm@10.34.9 site:build   # or from a folder
 *   npx -y pnpm@10.34.9 site                         # shows it, and follows changes of the pages
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { build, createServer } from "vitepress"
import { everything, llms } from "../stepgraph/assistants.ts"
import { pages, root } from "./.vitepress/repository.ts"
import { lostLinks } from "./links.ts"
import { reference } from "./reference.ts"

const site = import.meta.dirname
const dist = join(site, "dist")
const base = process.env.SITE_BASE ?? "/"

if (!/^\/(.*\/)?$/.test(base)) throw new Error(`SITE_BASE is '${base}': begin and end it with a slash`)

/** What assistants read: the pages as they were written, and the lists of them. */
const forAssistants = (): void => {
  const docs = [...pages().keys()].filter((file) => file.startsWith("docs/"))
  for (const file of docs) {
    mkdirSync(dirname(join(dist, file)), { recursive: true })
    cpSync(join(root, file), join(dist, file))
  }
  writeFileSync(join(dist, "llms.txt"), llms())
  writeFileSync(join(dist, "llms-full.txt"), everything())
}

if (process.argv.includes("--dev")) {
  if (!existsSync(join(site, "reference"))) await reference()
  const server = await createServer(site, { open: process.stdout.isTTY })
  await server.listen()
  server.printUrls()
} else {
  await reference()
  await build(site)
  forAssistants()
  const { lost, elsewhere, count } = lostLinks(dist, base)
  console.log(`${count} links lead to a page of the site, and ${elsewhere.length} elsewhere:\n${elsewhere.join("\n")}`)
  for (const { page, target, why } of lost) console.error(`${page}: ${target}: ${why}`)
  process.exit(lost.length === 0 ? 0 : 1)
}
