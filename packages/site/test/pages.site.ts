// The built site in a browser: readable in both schemes and on narrow screens, and complete without any other host.
import { complaintsOf, inBrowser } from "@stepgraph/conformance/support/browser"
import { expect, it } from "vitest"
import { served } from "./support/served.ts"

const browser = inBrowser()
const address = served()

const open = async (path: string, { width = 1280, dark = false } = {}) => {
  const context = await browser().newContext({
    colorScheme: dark ? "dark" : "light",
    viewport: { width, height: 800 },
    reducedMotion: "reduce"
  })
  const page = await context.newPage()
  page.setDefaultTimeout(8_000)
  const complaints = complaintsOf(page, (url) => url.startsWith(address()) || url.startsWith("data:"))
  await page.goto(`${address()}${path}`)
  return { page, complaints }
}

it.each([
  "",
  "docs/",
  "docs/joins.html",
  "docs/pictures.html",
  "packages/viz/",
  "reference/stepgraph/functions/gather.html"
])("'%s' fits a narrow screen, and asks no other host for anything", async (path) => {
  const { page, complaints } = await open(path, { width: 360, dark: true })
  expect(await page.locator("h1").first().textContent()).not.toBe("")
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0)
  const broken = "[...document.images].filter(({ complete, naturalWidth }) => complete && naturalWidth === 0).length"
  expect(await page.evaluate(broken)).toBe(0)
  expect(complaints).toEqual([])
})

it("draws diagrams as text of the page, without brackets lost", async () => {
  const { page } = await open("docs/joins.html")
  expect(await page.locator("svg.diagram").count()).toBeGreaterThan(5)
  expect(await page.locator("svg.diagram").nth(1).textContent()).toContain("collect(")
  expect(await page.locator("svg.diagram").allTextContents()).toEqual(
    expect.arrayContaining([expect.stringContaining("join([Stock, Price])")])
  )
})

it("is searched from the keyboard, and shows the part of the page that fits", async () => {
  const { page, complaints } = await open("")
  const box = page.locator("#localsearch-input")
  // The page listens to keys once its script has begun.
  const pressed = async () => {
    await page.keyboard.press("Control+k")
    return box.isVisible()
  }
  await expect.poll(pressed, { timeout: 20_000 }).toBe(true)
  await page.keyboard.type("wait for the first result")
  await page.locator("#localsearch-list a").first().waitFor()
  await page.keyboard.press("Enter")
  await page.waitForURL(/docs\/joins\.html#the-first-race$/)
  await page.locator("#the-first-race").waitFor()
  expect(complaints).toEqual([])
})

it("has what assistants read", async () => {
  const text = async (path: string) => (await fetch(`${address()}${path}`)).text()
  const list = await text("llms.txt")
  const [, page] = /\]\((docs\/joins\.md)\)/.exec(list)!
  expect(await text(page!)).toContain("# Waiting for parallel work")
  expect(await text("llms-full.txt")).toContain("# Waiting for parallel work")
})
