// The tests of pages in Chromium, `pnpm test:browser`: run pages, pictures, the chat of the example.
import { join } from "node:path"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/*.browser.ts", "examples/*/*.browser.ts"],
    // The processes that tests start translate the sources once, not each anew.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/stepgraph") },
    // Hanging tests must fail; tests slowed by parallel ones must not.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } }
  }
})
