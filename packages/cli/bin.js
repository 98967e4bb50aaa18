#!/usr/bin/env node
// The command `stepgraph`: compiled where it is published, and as it is in its own workspace, whichever Node this is.
import { existsSync } from "node:fs"

const source = new URL("./src/bin.ts", import.meta.url)
if (!existsSync(source)) await import("./dist/bin.js")
else if (process.features.typescript) await import(source.href)
else await (await import("jiti")).createJiti(import.meta.url).import(source.href)
