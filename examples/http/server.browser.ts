// The served agent as a person meets it, in a browser: asked, watched, answered, stopped.
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { complaintsOf, inBrowser, type Seen } from "@stepgraph/conformance/support/browser"
import { afterEach, describe, expect, it, vi } from "vitest"
import { prepared } from "../agent/prepare.ts"
import { serveAgent } from "./server.ts"

// While other tests run, a browser is slow.
vi.setConfig({ testTimeout: 30_000 })

type Page = Seen["page"]

const browser = inBrowser()
const token = "a-long-secret"
const cleanups: Array<() => PromiseLike<void>> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server, and the browser of one person, with any number of tabs. */
const opened = async (options: Parameters<typeof prepared>[0] = {}) => {
  const { flow, folder, ...agent } = await prepared(options)
  cleanups.push(() => agent[Symbol.asyncDispose]())
  const server = await serveAgent(flow, { port: 0, token })
  cleanups.push(() => server.close())
  const context = await browser().newContext()
  const complaints: Array<string> = []
  const tab = async (path = `/#token=${token}`) => {
    const page = await context.newPage()
    const wrong = complaintsOf(page, (url) => url.startsWith(server.url) || url.startsWith("data:,"))
    page.on("close", () => complaints.push(...wrong))
    await page.goto(`${server.url}${path}`)
    return page
  }
  const runs = async (): Promise<ReadonlyArray<{ readonly status: string }>> => {
    const response = await fetch(`${server.url}/api/runs`, { headers: { authorization: `Bearer ${token}` } })
    return ((await response.json()) as any).runs
  }
  const complained = async () => {
    await context.close()
    return complaints
  }
  return { folder, tab, runs, complained }
}

const send = async (page: Page, text = "Summarise my notes.") => {
  await page.getByLabel("Task").fill(text)
  await page.getByRole("button", { name: "Send" }).click()
}
const approve = (page: Page) => page.getByRole("button", { name: "Approve" })
const text = (page: Page, words: string) => page.getByText(words).first().waitFor()

describe.each([
  ["with useChat", "/"],
  ["with the client alone", "/plain.html"]
])("the chat %s", (_, path) => {
  it("shows tokens as they come, asks before a file is written, and answers", async () => {
    const { folder, tab, complained } = await opened({ pause: 30, faults: [undefined, "cut"] })
    const page = await tab(`${path}#token=${token}`)
    // What the first paragraph has said, each time that it changes.
    await page.evaluate(() => {
      const { document, MutationObserver } = globalThis as any
      const said: Array<string> = []
      Object.assign(globalThis, { said })
      new MutationObserver(() =>
        said.push(document.querySelector("article.assistant p, #said > p")?.textContent ?? "")
      ).observe(document.body, {
        childList: true,
        subtree: true,
        characterData: true
      })
    })
    await send(page)
    await text(page, "Allow write_file?")
    const said: ReadonlyArray<string> = await page.evaluate(() => [...new Set((globalThis as any).said)] as any)
    expect(said.filter((one) => one !== "" && "Let me look at your files.".startsWith(one)).length).toBeGreaterThan(1)
    // A line that was cut has left nothing.
    expect(await page.getByText("I read all").allTextContents()).toEqual(["I read all 3 at once."])
    expect(await readdir(folder)).not.toContain("summary.md")
    await approve(page).click()
    await text(page, "Done: see summary.md.")
    expect(await readFile(join(folder, "summary.md"), "utf8")).toContain("- Ada found a bug in the parser.")
    expect(page.url()).not.toContain(token)
    expect(await complained()).toEqual([])
  })

  it("does not write what the person declines", async () => {
    const { folder, tab, complained } = await opened()
    const page = await tab(`${path}#token=${token}`)
    await send(page)
    await page.getByRole("button", { name: "Decline" }).click()
    await text(page, "Not done. The user said no.")
    expect(await readdir(folder)).not.toContain("summary.md")
    expect(await complained()).toEqual([])
  })

  it("shows what a model writes as text, whatever it writes", async () => {
    const hostile = `<img src=x onerror="alert(1)"><script>alert(2)</script> [x](javascript:alert(3))`
    const { tab, complained } = await opened({ script: () => ({ text: hostile }) })
    const page = await tab(`${path}#token=${token}`)
    await send(page, hostile)
    await vi.waitFor(async () => expect((await page.getByText("<img src=x").allTextContents()).length).toBe(2), 10_000)
    expect(await page.locator("img, main script, main a").count()).toBe(0)
    expect(await complained()).toEqual([])
  })
})

describe("the chat with useChat", () => {
  it("is the same in two tabs, and after it was loaded again; either may answer", async () => {
    const { tab, runs, complained } = await opened()
    const first = await tab()
    await send(first)
    await approve(first).waitFor()
    const second = await tab(`/${new URL(first.url()).hash}&token=${token}`)
    await approve(second).waitFor()
    await text(second, "Summarise my notes.")
    await first.reload()
    await approve(first).waitFor()
    await approve(second).click()
    for (const page of [first, second]) await text(page, "Done: see summary.md.")
    // In both, the question is closed.
    await vi.waitFor(async () => expect(await approve(first).isDisabled()).toBe(true), 10_000)
    expect((await runs()).map(({ status }) => status)).toEqual(["stopped"])
    // The next message goes on with the conversation.
    await send(first, "Again.")
    await vi.waitFor(async () => expect(await approve(first).count()).toBe(2), 10_000)
    await approve(first).last().click()
    await vi.waitFor(async () => expect(await first.getByText("Done: see summary.md.").count()).toBe(2), 10_000)
    expect(await complained()).toEqual([])
  })

  it("stops the run", async () => {
    const { tab, runs } = await opened({ pause: 60_000 })
    const page = await tab()
    await send(page)
    await text(page, "Let")
    await page.getByRole("button", { name: "Stop" }).click()
    await vi.waitFor(async () => expect((await runs()).map(({ status }) => status)).toEqual(["interrupted"]), 10_000)
    await page.getByRole("button", { name: "Send" }).waitFor()
  })

  it("says so if the token is wrong", async () => {
    const { tab, runs } = await opened()
    const page = await tab("/#token=wrong")
    await send(page)
    await page.getByRole("alert").filter({ hasText: "Unauthorized" }).waitFor()
    expect(await runs()).toEqual([])
  })
})
