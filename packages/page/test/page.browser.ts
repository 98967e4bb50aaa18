// The page as a person uses it, in a browser, against a running server that wants a token.
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { explore } from "@stepgraph/testing"
import axe from "axe-core"
import type { Page } from "playwright-core"
import type { AnyWorkflow } from "stepgraph"
import { browsing } from "./support/browser.ts"
import { bill, hostile, many, nasty, orders, trip } from "./support/flows.ts"
import { served, token } from "./support/served.ts"

// While other tests run, a browser is slow.
vi.setConfig({ testTimeout: 60_000 })

const open = browsing()
let server: Awaited<ReturnType<typeof served>>
beforeAll(async () => {
  server = await served(() => [orders, trip, bill, many, hostile], { explore, logs: true })
})
afterAll(() => server?.close())

const at = (path = "") =>
  `${server.url}#${path}${path.includes("?") || path === "" ? "" : "?"}${path === "" ? "" : "&"}token=${token}`
/** Asks again until it is so. */
const eventually = <A>(read: () => A | Promise<A>) => expect.poll(read, { timeout: 25_000 })
const pane = (page: Page, name: string) => page.getByRole("region", { name, exact: true })
/** What keeps somebody from using the page, in words. */
const foundByAxe = async (page: Page, ...rules: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  // The policy of the page lets no script in; a debugger may.
  await page.evaluate(axe.source)
  const options = rules.length === 0 ? {} : { runOnly: rules }
  const { violations } = await page.evaluate((options) => (globalThis as any).axe.run(options), options)
  return violations.map(({ help, nodes }: any) => `${help}: ${nodes.map(({ html }: any) => html).join(" ")}`)
}
const order = { customer: "Ada", size: "small", pieces: 3, gift: false, tags: [] }

describe("the page", () => {
  it("asks for a token, keeps it for the tab alone, and takes it out of the address", async () => {
    const { page } = await open(server.url)
    await page.getByText("This server wants a token").waitFor()
    await page.getByLabel("Token").fill(token)
    await page.getByRole("button", { name: "Open" }).click()
    await page.getByRole("link", { name: "orders", exact: true }).waitFor()

    await page.goto(at("/workflows/orders"))
    await page.getByRole("heading", { name: "orders" }).waitFor()
    expect(page.url()).not.toContain("token")
    expect(page.url()).toContain("#/workflows/orders")
    expect(await page.evaluate(() => JSON.stringify((globalThis as any).localStorage))).not.toContain(token)
  })

  it("starts a run from the form or the raw JSON beside it, and says what does not fit", async () => {
    const { page, complaints } = await open(at("/workflows/orders"))
    const form = pane(page, "Start a run")
    await form.getByLabel("customer").fill("Grace")
    await form.getByLabel("pieces").fill("2")
    await form.getByLabel("size").selectOption("large")
    const raw = form.getByLabel("Order as JSON")
    await eventually(async () => JSON.parse(await raw.inputValue())).toEqual({
      customer: "Grace",
      size: "large",
      pieces: 2,
      gift: false,
      tags: []
    })
    await raw.fill(`{"customer": "Grace", "size": "large", "pieces": 2.5, "gift": true, "tags": ["a"]}`)
    await eventually(() => form.getByLabel("gift").isChecked()).toBe(true)
    await raw.fill("{")
    await form.getByRole("alert").waitFor()
    await eventually(() => form.getByRole("button", { name: "Start" }).isDisabled()).toBe(true)

    await raw.fill(`{"customer": "Grace", "size": "large", "pieces": 2.5, "gift": true, "tags": []}`)
    expect(complaints).toEqual([])
    await form.getByRole("button", { name: "Start" }).click()
    await form.getByText(/event 'Order' does not fit/).waitFor()
    // The browser itself notes each answer that is an error.
    complaints.length = 0

    await form.getByLabel("pieces").fill("2")
    await form.getByRole("button", { name: "Copy as curl" }).click()
    const copied = () => page.evaluate(() => (globalThis as any).navigator.clipboard.readText())
    await eventually(copied).toMatch(/^curl -X POST 'http:\/\/localhost:\d+\/api\/workflows\/orders\/runs\?wait=30s'/)
    expect(await copied()).not.toContain(token)
    await form.getByRole("button", { name: "Copy as TypeScript" }).click()
    await eventually(copied).toContain("connect<typeof flow>({")

    await form.getByRole("button", { name: "Start" }).click()
    await page.waitForURL(/#\/runs\//)
    await pane(page, "Waiting for you").waitFor()
    await page.getByRole("link", { name: "orders", exact: true }).first().click()
    const last = pane(page, "Start a run").getByLabel("Last inputs")
    await eventually(() => last.locator("option").count()).toBeGreaterThan(1)
    await last.selectOption({ index: 1 })
    await eventually(() => pane(page, "Start a run").getByLabel("customer").inputValue()).toBe("Grace")
    expect(complaints).toEqual([])
  })

  it("says what a run waits for, sends it, and shows the result", async () => {
    const id = await server.start("orders", order)
    const { page, complaints } = await open(at(`/runs/${id}`))
    await pane(page, "What is it waiting for?")
      .getByText(/ship needs Approval; it has Order and Parcel/)
      .waitFor()
    await eventually(() => pane(page, "Graph").locator("g.step[data-step=pack] .mark").textContent()).toBe("✓ 3")
    const you = pane(page, "Waiting for you")
    await you.getByLabel("by", { exact: true }).fill("Grace")
    await you.getByRole("button", { name: "Send Approval" }).click()
    await pane(page, "Result").getByText('"by": "Grace"').waitFor()
    await page.locator("header.head").getByText("done").waitFor()
    await eventually(() => pane(page, "What is it waiting for?").count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it("answers a question, with the fields that it shares filled in", async () => {
    const id = await server.start("trip", { city: "Lisbon" })
    const { page, complaints } = await open(at(`/runs/${id}`), "dark")
    const you = pane(page, "Waiting for you")
    await you.getByText("Shall we go to Lisbon?").waitFor()
    expect(await you.getByLabel("id", { exact: true }).first().inputValue()).toBe("q1")
    await you.getByLabel("yes", { exact: true }).first().check()
    await you.getByRole("button", { name: "Answer Reply" }).click()
    await pane(page, "Result").getByText('"go": true').waitFor()
    expect(complaints).toEqual([])
  })

  it("finds events by their payload, and goes from an event to its causes and effects", async () => {
    const id = await server.start("orders", { ...order, pieces: 12 })
    const { page, complaints } = await open(at(`/runs/${id}`))
    const events = pane(page, "Events")
    await eventually(() => events.getByRole("status").or(events.locator("[aria-live]")).textContent()).toBe("26 events")
    await events.getByLabel("Search events").fill('"n":11')
    await eventually(() => events.locator("[aria-live]").textContent()).toBe("2 of 26 events")
    await events.getByRole("button", { name: "Packed" }).click()
    const details = page.getByRole("complementary", { name: "Details" })
    await details.locator("pre").getByText('"n": 11').waitFor()
    expect(await details.locator(".chain").textContent()).toBe(
      "pack given Piecesplit given Orderwhich came from outside"
    )
    await details.getByRole("button", { name: "pack" }).click()
    await eventually(() => details.textContent()).toMatch(/Waited for a worker\d/)
    // The address holds it, for a link or a reload.
    await page.reload()
    await details.getByText("Call of a step").waitFor()
    await page.keyboard.press("Escape")
    await eventually(() => details.count()).toBe(0)
    await pane(page, "Graph").getByRole("button", { name: /^pack/ }).click()
    await eventually(() => details.textContent()).toContain("Done12")
    expect(complaints).toEqual([])
  })

  it("selects and zooms in the timeline, and goes back to any moment", async () => {
    const id = await server.start("orders", { ...order, pieces: 6 })
    const { page, complaints } = await open(at(`/runs/${id}`))
    const steps = pane(page, "Graph").locator("g.step[data-step=pack] .mark")
    await eventually(() => steps.textContent()).toBe("✓ 6")
    const moment = page.getByLabel("Moment")
    await moment.focus()
    await moment.fill("12")
    await eventually(() => steps.textContent()).not.toBe("✓ 6")
    expect(page.url()).toContain("at=12")
    await page.getByRole("button", { name: /^Back to/ }).click()
    await eventually(() => steps.textContent()).toBe("✓ 6")

    const timeline = pane(page, "Timeline")
    const canvas = timeline.locator("canvas")
    await canvas.scrollIntoViewIfNeeded()
    const box = (await canvas.boundingBox())!
    const whole = timeline.getByRole("button", { name: "Whole run" })
    // The names of the steps are on the left.
    const across = (share: number) => box.x + 150 + (box.width - 150) * share
    await page.mouse.move(across(0.01), box.y + 60)
    await page.mouse.down()
    await page.mouse.move(across(0.66), box.y + 60, { steps: 3 })
    await page.mouse.up()
    await eventually(() => whole.isEnabled()).toBe(true)
    await canvas.focus()
    await page.keyboard.press("0")
    await eventually(() => whole.isEnabled()).toBe(false)
    let told = ""
    for (let y = 30; y < box.height && !told.startsWith("pack"); y += 5) {
      await page.mouse.move(across(0.36), box.y + y)
      await page.waitForTimeout(10)
      told = (await timeline.locator(".tip").allTextContents())[0] ?? ""
    }
    expect(told).toMatch(/^pack: succeeded, \d/)
    await page.mouse.down()
    await page.mouse.up()
    await page.getByRole("complementary", { name: "Details" }).getByText("Call of a step").waitFor()
    expect(complaints).toEqual([])
  })

  it("interrupts, runs again with an edited input, compares, and downloads", async () => {
    const id = await server.start("trip", { city: "Rome" })
    const { page, complaints } = await open(at(`/runs/${id}`))
    await page.getByRole("button", { name: "Interrupt" }).click()
    await page.locator("header.head").getByText("interrupted").waitFor()
    await page.getByRole("button", { name: "Edit and run again" }).click()
    const edit = pane(page, "Edit and run again")
    await edit.getByLabel("city").fill("Oslo")
    await edit.getByRole("button", { name: "Run again with this" }).click()
    await page.getByRole("link", { name: id }).last().waitFor()
    await pane(page, "Waiting for you").getByText("Shall we go to Oslo?").waitFor()
    const compare = pane(page, "Compare")
    await compare.getByRole("combobox").selectOption(id)
    await compare.getByText("So far:").waitFor()
    await compare.getByText("The same event with other data").waitFor()
    expect(await compare.locator("canvas").count()).toBe(2)
    await page.getByRole("button", { name: "Interrupt" }).click()
    await page.locator("header.head").getByText("interrupted").waitFor()
    await compare.getByText("The same end, by another way.").waitFor()
    expect(await compare.textContent()).toContain(`there {"city":"Rome"}`)

    const saved = async (name: string) => {
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()])
      return readFileSync(await file.path(), "utf8")
    }
    expect(JSON.parse(await saved("Download trace"))[0]).toMatchObject({ _tag: "RunStarted", workflow: "trip" })
    expect(await saved("Download page")).toMatch(/^<!doctype html>[\s\S]*Oslo/)
    expect(complaints).toEqual([])
  })

  it("shows what a call has logged, tries every order, and opens the one that breaks a rule beside the usual one", async () => {
    const id = await server.start("bill", { items: ["tea", "milk"] })
    const { page, complaints } = await open(at(`/runs/${id}`))
    await pane(page, "Events").getByRole("button", { name: "Bill", exact: true }).click()
    const details = page.getByRole("complementary", { name: "Details" })
    await details.getByRole("button", { name: "sum" }).first().click()
    await eventually(() => details.locator(".logs").textContent()).toMatch(/Warn the first is tea$/)
    await page.keyboard.press("Escape")

    const every = pane(page, "Every order")
    await every.getByText("The steps really run, up to 1,000 times").waitFor()
    await every.getByRole("button", { name: "Try every order" }).click()
    await every.getByText("Some orders break a rule, in 1 way.").waitFor()
    expect(await every.textContent()).toContain('ends with Bill {"first":"tea"}')
    await every.getByText("What happens in it").click()
    // Nothing is wider than the page, however long its lines are.
    expect(await page.evaluate(() => (globalThis as any).document.documentElement.scrollWidth)).toBe(1280)
    await every.getByText('→ price(Item {"name":"milk"}) wakes').waitFor()
    await every.getByRole("button", { name: "Copy for a test" }).click()
    const copied = () => page.evaluate(() => (globalThis as any).navigator.clipboard.readText())
    await eventually(copied).toMatch(/^explore\(flow, \{ timers: "virtual", replay: "[\d._]+~\w+", input: \{ items: /)

    await every.getByRole("link", { name: "Open it beside the usual order" }).click()
    await pane(page, "This order").getByText("sameResult: its outcome differs from the usual one").waitFor()
    await pane(page, "Result").getByText('"first": "milk"').waitFor()
    await pane(page, "Compare").getByText("They ended differently.").waitFor()
    await pane(page, "Every order").getByText("You are looking at it.").waitFor()
    expect(await foundByAxe(page)).toEqual([])
    expect(complaints).toEqual([])
  })

  it("lists runs by text and status", async () => {
    const id = await server.start("trip", { city: "Reykjavik" })
    const { page, complaints } = await open(at())
    const runs = page.getByRole("navigation").locator(".runs li")
    await page.getByText("Choose a workflow to start it").waitFor()
    await page.keyboard.press("/")
    await page.keyboard.type("Reykjavik")
    await eventually(() => runs.count()).toBe(1)
    expect(await runs.textContent()).toContain(id)
    await page.getByLabel("Status").selectOption("failed")
    await page.getByText("No run fits. Search for less.").waitFor()
    await page.getByLabel("Status").selectOption("waiting")
    await runs.getByRole("link").click()
    await pane(page, "Waiting for you").waitFor()
    expect(complaints).toEqual([])
  })

  it("works under a path, and follows workflows that change while it is open", async () => {
    let flows: ReadonlyArray<AnyWorkflow> = [trip]
    let status = { revision: 0, problems: [] as Array<string> }
    const elsewhere = await served(() => flows, { path: "/flows", status: () => status })
    try {
      const { page, complaints } = await open(`${elsewhere.url}#token=${token}`)
      await pane(page, "Start a run").getByLabel("city").fill("Paris")
      status = { revision: 1, problems: ["trip.ts: Unexpected token"] }
      flows = [trip, orders]
      await page.getByRole("alert").getByText("trip.ts: Unexpected token").waitFor()
      await page.getByRole("link", { name: "orders", exact: true }).waitFor()
      // What was typed is still there.
      expect(await pane(page, "Start a run").getByLabel("city").inputValue()).toBe("Paris")
      status = { revision: 2, problems: [] }
      await eventually(() => page.getByRole("alert").count()).toBe(0)
      expect(complaints).toEqual([])
    } finally {
      await elsewhere.close()
    }
  })

  it("shows names, payloads and errors as text alone", async () => {
    for (const text of [nasty, "fail"]) {
      const id = await server.start(hostile.name, { text })
      const { page, complaints } = await open(at(`/runs/${id}?select=step:${encodeURIComponent(`step ${nasty}`)}`))
      await pane(page, text === "fail" ? "Error" : "Result")
        .getByText("<script>alert(1)</script>")
        .first()
        .waitFor()
      await page.getByRole("complementary").getByRole("heading", { name: nasty }).waitFor()
      await pane(page, "Events")
        .getByRole("button", { name: `Bad${nasty}` })
        .click()
      await page.getByRole("link", { name: hostile.name }).first().click()
      await pane(page, "Start a run").getByLabel("text").fill(nasty)
      expect(await page.locator("#app script, #app img").count()).toBe(0)
      expect(complaints).toEqual([])
    }
  })

  it("can be used without a mouse or eyes: axe finds nothing, in light and dark", async () => {
    const id = await server.start("orders", order)
    const { page } = await open(at(`/runs/${id}?select=step:pack`))
    await pane(page, "Waiting for you").waitFor()
    await pane(page, "Events").getByRole("button", { name: "Packed" }).first().waitFor()
    expect(await foundByAxe(page)).toEqual([])
    await page.emulateMedia({ colorScheme: "dark" })
    expect(await foundByAxe(page, "color-contrast")).toEqual([])
  })

  it("stays quick with 20,000 events", async () => {
    const id = await server.start("many", { n: 10_000 })
    const { page, complaints } = await open(at())
    await page.evaluate(() => {
      const global = globalThis as any
      global.longest = 0
      let last = performance.now()
      const frame = () => {
        const now = performance.now()
        global.longest = Math.max(global.longest, now - last)
        last = now
        global.requestAnimationFrame(frame)
      }
      frame()
    })
    await page.evaluate((hash) => ((globalThis as any).location.hash = hash), `/runs/${id}`)
    const events = pane(page, "Events")
    // Its end comes first.
    await page.getByText("This is the end of the run").waitFor()
    await eventually(() => events.locator("[aria-live]").textContent()).toBe("20,002 events")
    expect(await events.locator("tbody tr").count()).toBeLessThan(60)
    await events.getByLabel("Search events").fill("document 9999 of")
    await eventually(() => events.locator("[aria-live]").textContent()).toBe("1 of 20,002 events")
    // Generous: other tests share the machine. A page that hung would be far above.
    expect(await page.evaluate(() => (globalThis as any).longest)).toBeLessThan(1_000)
    expect(complaints).toEqual([])
  })
})
