// The tests of the built site; `pnpm test:site` builds it first.
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: { include: ["packages/site/test/*.site.ts"], testTimeout: 30_000, hookTimeout: 30_000 }
})
