/** A page in a real browser: Debian's `chromium`, or the one that is installed. */
import type { Browser, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest"
import { found, launched, missing } from "./chromium.ts"

/** Without a browser, these tests are skipped on a developer's machine, and fail in CI. */
const skipped = found === undefined && process.env.CI !== "true"

export interface Seen {
  readonly page: Page
  /** Collects what a page must not do: log errors, fail, or request anything. */
  readonly complaints: Array<string>
}

/** Gives one test file its browser. */
export const inBrowser = (): (() => Browser) => {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (skipped) return
    browser = await launched()
  }, 60_000)
  beforeEach(({ skip }) => skip(skipped, missing))
  afterEach(() => Promise.all(browser?.contexts().map((context) => context.close()) ?? []))
  afterAll(() => browser?.close())
  return () => browser!
}

/** Gives the tests around it one page, as long as they last. */
export const inOnePage = (prepare: (page: Page) => Promise<void>): void => {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (skipped) return
    browser = await launched()
    await prepare(await browser.newPage())
  }, 30_000)
  beforeEach(({ skip }) => skip(skipped, missing))
  afterAll(() => browser?.close())
}

/** What a page does wrong from now on, in words; it may request what is `allowed`. */
export const complaintsOf = (page: Page, allowed: (url: string) => boolean): Array<string> => {
  const complaints: Array<string> = []
  page.on("console", (message) => complaints.push(message.text()))
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("dialog", (dialog) => {
    complaints.push(dialog.message())
    void dialog.dismiss()
  })
  page.on("request", (request) => {
    if (!allowed(request.url())) complaints.push(`requested ${request.url()}`)
  })
  return complaints
}
