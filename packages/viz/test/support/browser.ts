/** The pictures in a browser. */
import { complaintsOf, inBrowser, type Seen } from "@stepgraph/conformance/support/browser"

/** Opens pages for one test file. */
export const browsing = () => {
  const browser = inBrowser()
  return async (html: string, colorScheme: "light" | "dark" = "light"): Promise<Seen> => {
    const page = await browser().newPage({ colorScheme, viewport: { width: 1280, height: 900 } })
    const address = "http://page.test/"
    const complaints = complaintsOf(page, (url) => url === address)
    await page.route(address, (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: html }))
    await page.goto(address)
    return { page, complaints }
  }
}
