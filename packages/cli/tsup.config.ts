import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/bin.ts"],
  format: "esm",
  target: "node20",
  sourcemap: true,
  clean: true,
  // Not every runtime has these modules without the prefix.
  removeNodeProtocol: false
})
