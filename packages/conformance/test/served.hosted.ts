// The core's own tests of `launch` and `launchPromise`, with the clients of `@stepgraph/server` in place of the handles: each
// workflow is served over HTTP by this process, and the clients are in this process, and then in a browser's page.
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest"
import { heeding } from "../src/differing.ts"
import { differing } from "../src/served/differing.ts"
import { closeServer, endRuns, openServer, url, useClients } from "../src/served/doors.ts"
import { bundled, inBrowserOf } from "../src/served/in-browser.ts"
import { inNode } from "../src/served/in-node.ts"
import { inOnePage } from "../src/support/browser.ts"

/** Other files start a run or two this way, and are about something else. */
const files = [
  "live/talking",
  "live/listening",
  "live/answers",
  "live/iterating",
  "live/at-the-edges",
  "live/bad-input",
  "live/unread",
  "live/state",
  "asking"
]

beforeAll(openServer)
afterEach(endRuns)
afterAll(closeServer)

const all = (mode: string, prepare: () => void) =>
  describe(mode, () => {
    prepare()
    for (const name of files) {
      describe(name, async () => {
        const file = `${name}.test.ts`
        const { after, before } = heeding(differing, "over HTTP")
        beforeEach((context) => {
          const test = context.task.fullTestName.replaceAll(" > ", " ")
          before(context, file, test.slice(test.indexOf(name) + name.length + 1))
        })
        afterAll(() => after(file))
        // Each mode has tests of its own: a module is loaded once for each query.
        await import(/* @vite-ignore */ `../../stepgraph/test/${file}?${encodeURIComponent(mode)}`)
      })
    }
  })

all("in Node", () => {
  beforeAll(() => useClients(inNode))
})
all("in Chromium", () => {
  inOnePage(async (page) => {
    await page.goto(url())
    await page.addScriptTag({ content: await bundled() })
    useClients(inBrowserOf(page))
  })
})
