/** Bundles what runs in the worker: one script, with effect, stepgraph and the compiler that takes types out. */
import { join } from "node:path"
import { build } from "esbuild"

const make = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "worker.ts")],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    // The messages of errors name classes.
    keepNames: true,
    legalComments: "none",
    logLevel: "silent"
  })
  return outputFiles[0]!.text
}

let made: Promise<string> | undefined

export const bundle = (): Promise<string> => (made ??= make())
