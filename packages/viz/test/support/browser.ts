/** A page in a real browser: Debian's `chromium`, or the one that is installed. */
import { existsSync } from "node:fs"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest"

const found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path)
)

const missing = "Chromium is not installed: apt-get install chromium"
/** Without a browser, these tests are skipped on a developer's machine, and fail in CI. */
const skipped = found === undefined && process.env.CI !== "true"

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

export interface Seen {
  readonly page: Page
  /** Collects what a page must not do: log errors, fail, or request anything. */
  readonly complaints: Array<string>
}

/** Opens pages for one test file. */
export const browsing = () => {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (skipped) return
    if (found === undefined) throw new Error(missing)
    browser = await chromium.launch({ executablePath: found, args: flags })
  }, 30_000)
  beforeEach(({ skip }) => skip(skipped, missing))
  afterEach(() => Promise.all(browser?.contexts().map((context) => context.close()) ?? []))
  afterAll(() => browser?.close())

  return async (html: string, colorScheme: "light" | "dark" = "light"): Promise<Seen> => {
    const page = await browser!.newPage({ colorScheme, viewport: { width: 1280, height: 900 } })
    const complaints: Array<string> = []
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("dialog", (dialog) => {
      complaints.push(dialog.message())
      void dialog.dismiss()
    })
    page.on("request", (request) => {
      if (request.url() !== address) complaints.push(`requested ${request.url()}`)
    })
    const address = "http://page.test/"
    await page.route(address, (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: html }))
    await page.goto(address)
    return { page, complaints }
  }
}
