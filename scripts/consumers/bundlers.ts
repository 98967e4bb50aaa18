// Bundlers: Vite, whose pages run in a browser, and Next.
import { existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join } from "node:path"
import { chromium } from "playwright-core"
import { type Consumer, npmProject, tool } from "./managers.ts"
import { effect, project } from "./project.ts"
import { freePort, started } from "./runtimes.ts"

const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" }

/** A page and its worker, built by Vite and looked at in Chromium. */
const vite: Consumer = {
  name: "vite",
  run: async (packed) => {
    const { folder, node } = npmProject(packed)
    node(tool("vite/bin/vite.js"), "build", "web", "--logLevel", "warn")
    const server = createServer((request, response) => {
      const file = join(folder, "web/dist", request.url === "/" ? "index.html" : request.url!)
      if (!existsSync(file)) response.writeHead(404).end()
      else response.writeHead(200, { "content-type": types[extname(file)] ?? "text/plain" }).end(readFileSync(file))
    })
    const port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
    const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path))
    if (executablePath === undefined) throw new Error("Chromium is not installed: apt-get install chromium")
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${port}/`)
      const text = async (id: string): Promise<string> => {
        await page.waitForSelector(`#${id}:not(:empty)`)
        return (await page.textContent(`#${id}`)) ?? ""
      }
      return { "a page": await text("page"), "a web worker": await text("worker") }
    } finally {
      await browser.close()
      server.close()
    }
  }
}

/** The server's routes in a route handler of Next's app router. */
const next: Consumer = {
  name: "next",
  run: async (packed) => {
    const all = Object.fromEntries(Object.entries(packed.tarballs).map(([name, file]) => [name, `file:${file}`]))
    const dependencies = { ...all, effect, next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" }
    const { folder, run, serve } = project(packed, "next", { dependencies })
    run("npm", ["install", "--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"])
    const bin = join(folder, "node_modules/next/dist/bin/next")
    run("node", [bin, "build", "next"], { NEXT_TELEMETRY_DISABLED: "1" })
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/flows`
    const stop = await serve(url, "node", [bin, "start", "next", "-p", String(port), "-H", "127.0.0.1"])
    try {
      return { "a route handler": await started(url) }
    } finally {
      stop()
    }
  }
}

export const bundlers: ReadonlyArray<Consumer> = [vite, next]
