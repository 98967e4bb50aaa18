import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/index.ts", "src/Postgres.ts", "src/SqliteClient.ts"],
  format: "esm",
  target: "node22",
  dts: true,
  sourcemap: true,
  clean: true,
  // Not every runtime has these modules without the prefix.
  removeNodeProtocol: false
})
