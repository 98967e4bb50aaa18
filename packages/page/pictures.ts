// Draws the pictures of the page in the documentation: `pnpm pictures:page`, which needs Chromium.
//
// Their runs go in virtual time, so that all times in a picture stay the same. `--check` says which pictures
// are of other sources than those of now: each picture names its sources in itself.
import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { crc32 } from "node:zlib"
import { launched } from "@stepgraph/conformance/support/chromium"
import { page as pageOf } from "@stepgraph/page"
import { makeHandler } from "@stepgraph/server"
import { toNodeListener } from "@stepgraph/server/node"
import { explore } from "@stepgraph/testing"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import { TestClock } from "effect/testing"
import type { Page } from "playwright-core"
import { article, checkout } from "./pictures-of.ts"

const workspace = fileURLToPath(new URL("../..", import.meta.url))
const folder = join(workspace, "docs/page")
const names = ["run", "call", "orders"]
const keyword = "stepgraph-sources"

/** What decides how the page looks. */
const sources = (): string => {
  const hash = createHash("sha256")
  const files = ["packages/page/app/**/*", "packages/page/pictures*.ts"].flatMap((glob) =>
    globSync(glob, { cwd: workspace, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => join(parentPath, name))
  )
  for (const file of files.sort()) hash.update(file.slice(workspace.length)).update(readFileSync(file))
  return hash.digest("hex").slice(0, 16)
}

/** A picture with a text in it, after its header. */
const noted = (png: Buffer, text: string): Buffer => {
  const body = Buffer.from(`tEXt${keyword}\0${text}`, "latin1")
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length - 4)
  sum.writeUInt32BE(crc32(body))
  const header = 8 + 25
  return Buffer.concat([png.subarray(0, header), length, body, sum, png.subarray(header)])
}

const noteOf = (png: Buffer): string | undefined =>
  new RegExp(`tEXt${keyword}\0([0-9a-f]+)`).exec(png.subarray(0, 200).toString("latin1"))?.[1]

interface Shot {
  readonly name: string
  readonly path: string
  readonly size: { readonly width: number; readonly height: number }
  /** What to do before. */
  readonly ready: (page: Page) => Promise<unknown>
}

const draw = Effect.gen(function* () {
  // Runs begin now, as the clock of the browser has it.
  const began = Date.UTC(2026, 0, 5, 9, 30)
  yield* TestClock.setTime(began)
  const handler = yield* makeHandler({
    workflows: [article, checkout],
    auth: "none",
    hosts: "any",
    logs: true,
    explore,
    page: yield* Effect.promise(pageOf)
  })
  const server = createServer(toNodeListener(handler))
  yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = (path: string, body?: unknown): Promise<any> =>
    fetch(
      `${url}/api/${path}`,
      body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
    ).then((response) => response.json())
  /** In small pieces: what promises do between two sleeps takes turns of the event loop, not time. */
  const pass = (millis: number) =>
    Effect.gen(function* () {
      for (let gone = 0; gone < millis; gone += 25) {
        yield* TestClock.adjust(25)
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
    })
  const started = (flow: string, input: unknown) => Effect.promise(() => ask(`workflows/${flow}/runs`, input))
  const paid = yield* started("checkout", { items: ["tea", "milk"] })
  yield* pass(1_000)
  const run = yield* started("article", { topic: "Tides", sources: 6 })
  yield* pass(3_400)

  const entries = yield* Effect.promise(() =>
    fetch(`${url}/api/runs/${run.id}/trace?last=400`, {
      headers: { accept: "application/x-ndjson" },
      signal: AbortSignal.timeout(2_000)
    }).then(readSome)
  )
  const call = entries.find(({ data }) => data._tag === "InvocationStarted" && data.step === "check").data.invocation
  const shots: ReadonlyArray<Shot> = [
    {
      name: "run",
      path: `/runs/${run.id}`,
      size: { width: 1400, height: 1090 },
      ready: async (page) => {
        await page.getByText("Waiting for you").waitFor()
        await page.getByText(/^\d\d events$/).waitFor()
      }
    },
    {
      name: "call",
      path: `/runs/${run.id}?select=call:${encodeURIComponent(call)}`,
      size: { width: 1240, height: 560 },
      ready: (page) => page.locator(".logs").waitFor()
    },
    {
      name: "orders",
      path: `/runs/${paid.id}`,
      size: { width: 1240, height: 760 },
      ready: async (page) => {
        const pane = page.getByRole("region", { name: "Every order", exact: true })
        const again = pane.getByText("Some orders break a rule")
        if ((await again.count()) === 0) await pane.getByRole("button", { name: "Try every order" }).click()
        await again.waitFor()
        await pane.getByText("What happens in it").click()
        await pane.evaluate((element) => (element as any).scrollIntoView())
      }
    }
  ]
  const now = began + 4_400
  yield* Effect.promise(async () => {
    const browser = await launched()
    mkdirSync(folder, { recursive: true })
    const note = sources()
    for (const colorScheme of ["light", "dark"] as const) {
      for (const { name, path, ready, size } of shots) {
        const context = await browser.newContext({
          colorScheme,
          viewport: size,
          reducedMotion: "reduce",
          deviceScaleFactor: 1
        })
        const page = await context.newPage()
        await page.clock.setFixedTime(now)
        // What the server dates by its own clock.
        await page.route("**/api/**", async (route) => {
          if (route.request().url().includes("/trace")) return route.continue()
          const response = await route.fetch()
          const text = await response.text()
          const dated = text
            .replace(/"(startedAt)":"[^"]+"/g, (_, name) => `"${name}":"${new Date(began + 1_000).toISOString()}"`)
            .replace(/"endedAt":"[^"]+"/g, `"endedAt":"${new Date(began + 1_800).toISOString()}"`)
          return route.fulfill({ response, body: text === "" ? "" : dated })
        })
        await page.goto(`${url}/#${path}`)
        await ready(page)
        await page.waitForTimeout(700)
        writeFileSync(join(folder, `${name}-${colorScheme}.png`), noted(await page.screenshot(), note))
        await page.unrouteAll({ behavior: "ignoreErrors" })
        await context.close()
      }
    }
    await browser.close()
  })
}).pipe(Effect.scoped, Random.withSeed("page"), Effect.provide(Logger.layer([])), Effect.provide(TestClock.layer()))

/** The records of a stream that have come by now. */
const readSome = async (response: Response): Promise<ReadonlyArray<any>> => {
  let text = ""
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    text += value ?? ""
    const lines = text.split("\n").filter((line) => line !== "")
    if (done || text.endsWith("\n")) {
      void reader.cancel()
      return lines.map((line) => JSON.parse(line))
    }
  }
}

const stale = (): ReadonlyArray<string> => {
  const now = sources()
  const files = names.flatMap((name) => [`${name}-light.png`, `${name}-dark.png`])
  return files.filter((file) => !existsSync(join(folder, file)) || noteOf(readFileSync(join(folder, file))) !== now)
}

if (process.argv.includes("--check")) {
  const files = stale()
  for (const file of files)
    console.error(`docs/page/${file} is of other sources than those of now: run pnpm pictures:page`)
  process.exitCode = files.length > 0 ? 1 : 0
} else await Effect.runPromise(draw as Effect.Effect<void>)
