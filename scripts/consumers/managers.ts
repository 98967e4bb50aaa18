// The package managers.
import { join } from "node:path"
import { effect, type Packed, type Project, project, workspace } from "./project.ts"

export interface Consumer {
  readonly name: string
  /** Gives what the seed flow printed in each way that was tried. */
  readonly run: (packed: Packed) => Record<string, string> | Promise<Record<string, string>>
}

/** The versions of what is fetched to try the packages. */
export const versions = { pnpm: "10.34.9", yarn: "4.18.1", bun: "1.4.5", deno: "2.9.6", workerd: "1.20261117.1" }

/** All packages from their files, and effect from the registry. */
const dependencies = ({ tarballs }: Packed) => ({
  ...Object.fromEntries(Object.entries(tarballs).map(([name, tarball]) => [name, `file:${tarball}`])),
  effect
})

let installed: Project | undefined
/** The project that npm has installed, made once. */
export const npmProject = (packed: Packed): Project => {
  if (installed === undefined) {
    const made = project(packed, "npm", { dependencies: dependencies(packed) })
    made.run("npm", ["install", "--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"])
    installed = made
  }
  return installed
}

/** The workspace's own tools, so that each project need not install them. */
export const tool = (file: string) => join(workspace, "node_modules", file)

const strict = { strict: true, noEmit: true, target: "es2022", lib: ["es2023", "dom"], types: [], skipLibCheck: false }

const typed = ({ node, write }: Project, name: string, compilerOptions: object, files: ReadonlyArray<string>) => {
  write(name, { compilerOptions: { ...strict, ...compilerOptions }, files })
  node(tool("typescript/bin/tsc"), "-p", name)
}

const npm: Consumer = {
  name: "npm",
  run: (packed) => {
    const made = npmProject(packed)
    typed(made, "nodenext.json", { module: "nodenext" }, ["typed.ts", "required.cts"])
    typed(made, "declared.json", { module: "nodenext", noEmit: false, declaration: true, outDir: "declared" }, [
      "declared.ts"
    ])
    typed(made, "bundler.json", { module: "esnext", moduleResolution: "bundler" }, ["typed.ts"])
    return {
      "an ES module": made.node("main.js"),
      "CommonJS on Node 20": made.run("npx", ["-y", "node@20", "main.cjs"]),
      "CommonJS on Node 22": made.run("npx", ["-y", "node@22", "main.cjs"]),
      CommonJS: made.node("main.cjs"),
      "a worker thread": made.node("thread.js"),
      "@stepgraph/testing": made.node("every.js")
    }
  }
}

// npm takes what is installed already for a package that another needs. The others would ask the registry, if no override said
// where it is.
const pnpm: Consumer = {
  name: "pnpm",
  run: (packed) => {
    const all = dependencies(packed)
    const { node, run } = project(packed, "pnpm", { dependencies: all, pnpm: { overrides: all } })
    run("npx", ["-y", `pnpm@${versions.pnpm}`, "install", "--ignore-workspace", "--silent", "--prefer-offline"])
    return { "an ES module": node("main.js"), CommonJS: node("main.cjs"), "@stepgraph/testing": node("every.js") }
  }
}

const yarn = (linker: "node-modules" | "pnp"): Consumer => ({
  name: `yarn-${linker}`,
  run: (packed) => {
    const all = dependencies(packed)
    const { run, write } = project(packed, `yarn-${linker}`, { dependencies: all, resolutions: all })
    write(".yarnrc.yml", `nodeLinker: ${linker}\nenableTelemetry: false\nenableImmutableInstalls: false\n`)
    write("yarn.lock", "")
    const yarn = (...args: ReadonlyArray<string>) =>
      run("npx", ["-y", "--package", `@yarnpkg/cli-dist@${versions.yarn}`, "yarn", ...args])
    yarn("install")
    return {
      "an ES module": yarn("node", "main.js"),
      CommonJS: yarn("node", "main.cjs"),
      "@stepgraph/testing": yarn("node", "every.js")
    }
  }
})

const bun: Consumer = {
  name: "bun",
  run: (packed) => {
    const all = dependencies(packed)
    const { run } = project(packed, "bun", { dependencies: all, overrides: all })
    const bun = (...args: ReadonlyArray<string>) => run("npx", ["-y", `bun@${versions.bun}`, ...args])
    bun("install", "--silent")
    return {
      TypeScript: bun("run", "main.ts"),
      CommonJS: bun("run", "main.cjs"),
      "@stepgraph/testing": bun("run", "every.js")
    }
  }
}

export const managers: ReadonlyArray<Consumer> = [npm, pnpm, yarn("node-modules"), yarn("pnp"), bun]
