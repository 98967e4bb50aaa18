import { defineConfig } from "tsup"
import { bundle } from "./bundle.ts"

export default defineConfig({
  entry: ["src/index.ts"],
  format: "esm",
  target: "node20",
  dts: true,
  sourcemap: true,
  clean: true,
  esbuildPlugins: [
    {
      name: "the page inside",
      setup(build) {
        build.onLoad({ filter: /internal\/contents\.ts$/ }, async () => ({
          contents: `export const contents = async () => (${JSON.stringify(await bundle())})`,
          loader: "js"
        }))
      }
    }
  ]
})
