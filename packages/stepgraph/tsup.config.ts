import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/index.ts", "src/Graph.ts", "src/TraceModel.ts", "src/Host.ts", "src/Internal.ts"],
  format: "esm",
  target: "node20",
  dts: true,
  sourcemap: true,
  clean: true
})
