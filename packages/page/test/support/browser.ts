/** The served page in a browser. */
import { complaintsOf, inBrowser, type Seen } from "@stepgraph/conformance/support/browser"

/** Opens pages for one test file. */
export const browsing = () => {
  const browser = inBrowser()
  return async (address: string, colorScheme: "light" | "dark" = "light"): Promise<Seen> => {
    const context = await browser().newContext({
      colorScheme,
      viewport: { width: 1280, height: 800 },
      // Without a graphics card, an animation takes a whole core.
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"]
    })
    const page = await context.newPage()
    page.setDefaultTimeout(25_000)
    const complaints = complaintsOf(page, (url) => {
      const { origin, protocol } = new URL(url)
      return origin === new URL(address).origin || protocol === "data:" || protocol === "blob:"
    })
    await page.goto(address)
    return { page, complaints }
  }
}
