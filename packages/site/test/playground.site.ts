// The playground in a browser: programs run in their sandbox, and nowhere else.
import { complaintsOf, inBrowser } from "@stepgraph/conformance/support/browser"
import type { Page } from "playwright-core"
import { expect, it } from "vitest"
import { fromFragment, longest, toFragment } from "../playground/share.ts"
import { served } from "./support/served.ts"

const browser = inBrowser()
const address = served()

const open = async (fragment = "") => {
  const context = await browser().newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const complaints = complaintsOf(page, (url) => /^(data|blob|about):/.test(url) || url.startsWith(address()))
  await page.goto(`${address()}playground.html${fragment}`)
  await page.locator(".cm-content").waitFor()
  return { page, complaints }
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()
const output = (page: Page) => page.locator(".pg-out")
const choose = (page: Page, label: string) => page.getByLabel("Example").selectOption({ label })
const withProgram = async (source: string) => open(`#${await toFragment(source)}`)

it("runs a program, and shows its graph, its timeline, its events and its result", async () => {
  const { page, complaints } = await open()
  await press(page, "Run")
  await output(page).getByText('Stop {"result":"found who birds').waitFor()
  await page.getByAltText("The graph of workflow seed").waitFor()
  await page.getByAltText("The timeline of a run of seed").waitFor()
  await page.getByRole("tab", { name: "Events" }).click()
  expect(await page.locator(".pg-events li").allTextContents()).toEqual(
    expect.arrayContaining([expect.stringContaining('Query {"query":"why birds"}')])
  )
  expect(complaints).toEqual([])
})

it("sends a person's answer to the run that waits for it", async () => {
  const { page, complaints } = await open()
  await choose(page, "Ask a person")
  await press(page, "Run")
  await page.getByLabel("Fields, as JSON").fill('{"by":1}')
  await press(page, "Send")
  await page.getByText("event 'Approval' does not fit its schema").waitFor()
  await page.getByLabel("Fields, as JSON").fill('{"by":"Ada"}')
  await press(page, "Send")
  await output(page).getByText("News (approved by Ada)").waitFor()
  expect(complaints).toEqual([])
})

it("finds the planted bug in some order, and shows its story and timeline", async () => {
  const { page, complaints } = await open()
  await choose(page, "A bug to find")
  await press(page, "Run")
  await output(page).getByText('Stop {"left":8}').waitFor()
  await press(page, "Explore")
  await page.locator(".pg-failures summary").getByText('Stop {"left":9} instead of Stop {"left":8}').first().waitFor()
  expect(await page.locator(".pg-failures pre").first().textContent()).toContain("What happens this time")
  expect(await page.locator(".pg-failures img").count()).toBeGreaterThan(0)
  expect(complaints).toEqual([])
})

it("tries all orders of a correct workflow", async () => {
  const { page } = await open()
  await press(page, "Explore")
  await page.getByText(/All \d+ orders were tried: no rule was broken/).waitFor()
})

it("stops an endless loop, while the page goes on", async () => {
  const { page } = await withProgram("for (;;) {}")
  await press(page, "Run")
  await output(page).getByText("Running…").waitFor()
  await press(page, "Stop")
  await output(page).getByText("You stopped it.").waitFor()
  await choose(page, "Wait for all")
  await press(page, "Run")
  await output(page).getByText("Stop {").waitFor()
})

it("never runs a shared program by itself, and gives it nothing of the page or the network", async () => {
  const { page, complaints } = await withProgram(`
const reach = async (name: string, act: () => unknown) => {
  try {
    console.log(name, "reached", String(await act()).slice(0, 40))
  } catch (error) {
    console.log(name, "refused")
  }
}
await reach("network", () => fetch("${address()}llms.txt"))
await reach("elsewhere", () => fetch("https://example.org/"))
await reach("script", () => (self as any).importScripts("${address()}hashmap.json"))
await reach("page", () => (self as any).document.title)
await reach("storage", () => indexedDB.open("x"))
console.log("ran", location.origin)`)
  await page.waitForTimeout(300)
  expect(await output(page).textContent()).toBe("")
  expect(await page.locator("iframe").count()).toBe(0)
  await press(page, "Run")
  await output(page).getByText(/^ran/).waitFor()
  const text = await output(page).textContent()
  for (const name of ["network", "elsewhere", "script", "page"]) expect(text).toContain(`${name} refused`)
  // What the policy refuses is not even requested; the browser says so on its console.
  expect(complaints.filter((complaint) => !complaint.includes("Content Security Policy"))).toEqual([])
})

it("shares a program by its address, which opens to the same program", async () => {
  const { page } = await open()
  await page.locator(".cm-content").fill("console.log('shared')")
  await press(page, "Share")
  await page.getByText(/holds the whole program/).waitFor()
  const { page: other } = await open(new URL(page.url()).hash)
  expect(await other.locator(".cm-content").textContent()).toBe("console.log('shared')")
})

it("opens a program of the docs, and prints what the page says", async () => {
  const { page } = await open()
  await page.goto(`${address()}docs/getting-started.html`)
  await page.getByRole("link", { name: "Try it" }).first().click()
  await page.locator(".cm-content").waitFor()
  await press(page, "Run")
  await output(page).getByText("Hello, Ada!").waitFor()
  await page.getByAltText("The graph of workflow greeting").waitFor()
})

it("says what is wrong with a program", async () => {
  const { page } = await withProgram('import { z } from "zod"\nconsole.log(z)')
  await press(page, "Run")
  await output(page).getByText("'zod' cannot be imported here").waitFor()
  const { page: other } = await withProgram("const = 1")
  await press(other, "Run")
  await output(other)
    .getByText(/SyntaxError/)
    .waitFor()
})

it("reads no fragment that is broken, or that unpacks to too much", async () => {
  expect(await fromFragment("#code=AAAA")).toBeUndefined()
  expect(await fromFragment("#part")).toBeUndefined()
  expect(await fromFragment(await toFragment("x".repeat(longest * 50)))).toBeUndefined()
  expect(await fromFragment(await toFragment("const ä = '€'"))).toBe("const ä = '€'")
})
