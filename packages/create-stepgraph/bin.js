#!/usr/bin/env node
// Entry point of `npm create stepgraph`: compiled code when published, the sources inside this repository.
import { existsSync } from "node:fs"

const source = new URL("./src/bin.ts", import.meta.url)
if (Number.parseInt(process.versions.node, 10) < 20) {
  console.error(
    `stepgraph needs Node 20 or newer, and this is ${process.version}. Install a newer one: https://nodejs.org`
  )
  process.exitCode = 2
} else if (existsSync(source)) await import(source.href)
else await import("./dist/bin.js")
