#!/usr/bin/env node
// The command `stepgraph`: compiled where it is published, and as it is in its own workspace.
import { existsSync } from "node:fs"

const source = new URL("./src/bin.ts", import.meta.url)
await import(existsSync(source) ? source.href : new URL("./dist/bin.js", import.meta.url).href)
