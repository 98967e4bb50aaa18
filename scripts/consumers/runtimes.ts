// The runtimes that need not install: Deno, and workerd, which runs Cloudflare's workers.
import { createServer } from "node:net"
import { join } from "node:path"
import { build } from "esbuild"
import { type Consumer, npmProject, versions } from "./managers.ts"

const deno: Consumer = {
  name: "deno",
  run: (packed) => {
    const { run } = npmProject(packed)
    const deno = (file: string) =>
      run("npx", [
        "-y",
        `deno@${versions.deno}`,
        "run",
        "--node-modules-dir=manual",
        "--allow-env",
        "--allow-read",
        file
      ])
    return { TypeScript: deno("main.ts"), CommonJS: deno("main.cjs"), "@stepgraph/testing": deno("every.js") }
  }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** Starts a run by the server's routes, and gives the result of its stop event. */
export const started = async (base: string): Promise<string> => {
  const response = await fetch(`${base}/api/workflows/seed/runs?wait=10s`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}"
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${base} answered ${response.status}: ${text}`)
  return JSON.parse(text).stop.result
}

const workerd: Consumer = {
  name: "workerd",
  run: async (packed) => {
    const { folder, serve, write } = npmProject(packed)
    await build({
      entryPoints: [join(folder, "edge.ts")],
      outfile: join(folder, "edge.js"),
      bundle: true,
      minify: true,
      format: "esm",
      conditions: ["workerd", "worker", "browser"],
      logLevel: "error"
    })
    const port = await freePort()
    write(
      "workerd.capnp",
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "edge.js", esModule = embed "edge.js")],
    compatibilityDate = "2026-11-01"
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
`
    )
    const url = `http://127.0.0.1:${port}`
    const stop = await serve(url, "npx", ["-y", `workerd@${versions.workerd}`, "serve", "workerd.capnp"])
    try {
      return { "a worker": await (await fetch(url)).text(), "the server": await started(url) }
    } finally {
      stop()
    }
  }
}

export const runtimes: ReadonlyArray<Consumer> = [deno, workerd]
