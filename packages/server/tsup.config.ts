import { defineConfig } from "tsup"

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/Node.ts",
    "src/Client.ts",
    "src/ClientEffect.ts",
    "src/Durable.ts",
    "src/Mcp.ts",
    "src/AiSdk.ts"
  ],
  format: "esm",
  target: "node20",
  dts: true,
  sourcemap: true,
  clean: true,
  // Not every runtime has these modules without the prefix.
  removeNodeProtocol: false
})
