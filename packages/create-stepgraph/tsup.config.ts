import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/bin.ts"],
  format: "esm",
  target: "node20",
  clean: true,
  // As in the sources.
  removeNodeProtocol: false
})
