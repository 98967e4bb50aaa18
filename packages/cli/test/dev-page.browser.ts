// `stepgraph dev` as a person uses it: the command in a process, and its page in a browser.
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { complaintsOf, inBrowser, type Seen } from "@stepgraph/conformance/support/browser"
import { linkInto } from "@stepgraph/conformance/support/copies"
import { inFolder } from "./support/command-line.ts"
import { endAll, serving } from "./support/served.ts"

// These tests start processes while other tests run.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

type Page = Seen["page"]
const browser = inBrowser()
const { place, file } = inFolder()
beforeAll(() => linkInto(place.folder))
afterAll(endAll)

const opened = async (url: string) => {
  const page = await (
    await browser().newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" })
  ).newPage()
  page.setDefaultTimeout(20_000)
  const complaints = complaintsOf(page, (other) => new URL(other).origin === new URL(url).origin || other === "data:,")
  await page.goto(url)
  return { page, complaints }
}
const pane = (page: Page, name: string) => page.getByRole("region", { name, exact: true })
const steps = (page: Page) =>
  pane(page, "Graph")
    .locator("g.step")
    .evaluateAll((all) => all.map((one: any) => one.dataset.step).sort())

const flow = (second: string) => `import { Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
const Order = defineEvent("Order", { item: Schema.String })
const Packed = defineEvent("Packed", { item: Schema.String })
const Approval = defineEvent("Approval", { by: Schema.String })
const Shipped = defineEvent("Shipped", { text: Schema.String })
const pack = defineStep({ accepts: Order, emits: Packed, run: ({ item }) => Packed({ item }) })
const send = defineStep({
  accepts: join([Packed, Approval]),
  emits: Shipped,
  run: ([{ item }, { by }]) => Shipped({ text: item + " by ${second}, for " + by })
})
export const orders = workflow({ name: "orders", start: Order, stop: Shipped, inputs: [Approval], steps: { pack, ${second}: send } })
`

describe("the page under stepgraph dev", () => {
  it("starts a run from the form, and shows what is saved, while the run keeps its graph and its code", async () => {
    await file("flow.ts", flow("cart"))
    const dev = await serving(place.folder, "dev", "flow.ts", "--port", "0")
    const { page, complaints } = await opened(`${dev.url}#token=${dev.token}`)
    // With one workflow, there is nothing to choose.
    await pane(page, "Start a run").getByLabel("item").fill("tea")
    await pane(page, "Start a run").getByRole("button", { name: "Start" }).click()
    await page.waitForURL(/#\/runs\//)
    await pane(page, "Waiting for you").waitFor()
    expect(await steps(page)).toEqual(["cart", "pack"])
    const run = page.url()

    await page.getByRole("link", { name: "orders", exact: true }).first().click()
    await pane(page, "Graph").waitFor()
    await file("flow.ts", flow("ship"))
    await expect.poll(() => steps(page), { timeout: 20_000 }).toEqual(["pack", "ship"])
    await file("flow.ts", "export const orders = = 1\\n")
    await page.getByRole("alert").getByText("flow.ts:1 has a syntax error").waitFor()
    await file("flow.ts", flow("ship"))
    await expect.poll(() => page.getByRole("alert").count(), { timeout: 20_000 }).toBe(0)

    await page.goto(run)
    await pane(page, "Waiting for you").getByLabel("by", { exact: true }).fill("Ada")
    await pane(page, "Waiting for you").getByRole("button", { name: "Send Approval" }).click()
    await pane(page, "Result").getByText("tea by cart, for Ada").waitFor()
    expect(await steps(page)).toContain("cart")
    expect(complaints).toEqual([])
    await dev.stop()
  })

  it("with --durable, shows a run going on after its process was killed", async () => {
    const text = flow("send").replace("export const orders = workflow(", "const plain = workflow(")
    const durable = JSON.stringify(import.meta.resolve("@stepgraph/durable"))
    await file("orders.ts", `import { durable } from ${durable}\n${text}export const orders = durable(plain)\n`)
    const args = ["dev", "orders.ts", "--durable", "runs.db", "--token", "a-token-that-stays", "--port"]
    const first = await serving(place.folder, ...args, "0")
    const { page } = await opened(`${first.url}#token=${first.token}`)
    await pane(page, "Start a run").getByLabel("item").fill("milk")
    await pane(page, "Start a run").getByRole("button", { name: "Start" }).click()
    await pane(page, "Waiting for you").waitFor()
    await first.kill()
    await page.getByText("The server does not answer. Is it still running?").waitFor()

    const second = await serving(place.folder, ...args, String(first.port))
    await expect.poll(() => page.getByText("The server does not answer").count(), { timeout: 20_000 }).toBe(0)
    await pane(page, "Waiting for you").getByLabel("by", { exact: true }).fill("Grace")
    await pane(page, "Waiting for you").getByRole("button", { name: "Send Approval" }).click()
    await pane(page, "Result").getByText("milk by send, for Grace").waitFor()
    await expect.poll(() => pane(page, "Graph").locator("g.step[data-step=send] .mark").textContent()).toBe("✓ 1")
    await second.stop()
  })
})
