#!/usr/bin/env node
// The command `stepgraph` lives in @stepgraph/cli, so that the library stays small. This finds it, or says how to get it.
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const command = "@stepgraph/cli/bin"

/** Where the command is: first as the program in this folder sees it, then as this package does. */
const find = () => {
  for (const from of [pathToFileURL(join(process.cwd(), "package.json")), import.meta.url]) {
    try {
      return pathToFileURL(createRequire(from).resolve(command))
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error
    }
  }
}

const found = find()
if (found === undefined) {
  console.error("The command is a package of its own: npm install --save-dev @stepgraph/cli")
  process.exitCode = 2
} else {
  await import(found.href)
}
