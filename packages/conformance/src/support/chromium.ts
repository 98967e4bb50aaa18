/** Debian's `chromium`, or the browser that is installed. */
import { existsSync } from "node:fs"
import { type Browser, chromium } from "playwright-core"

export const found = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path)
)

export const missing = "Chromium is not installed: apt-get install chromium"

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

export const launched = (): Promise<Browser> => {
  if (found === undefined) throw new Error(missing)
  return chromium.launch({ executablePath: found, args: flags })
}
