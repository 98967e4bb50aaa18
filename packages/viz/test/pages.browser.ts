// Pages as a user meets them, in a browser.

import { createRequire } from "node:module"
import { describe, expect, it, vi } from "@effect/vitest"
import { compare, type Drawable, timeline, toHtml, toMermaid, toSvg } from "@stepgraph/viz"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { asStep, workflow } from "stepgraph"
import { browsing } from "./support/browser.ts"
import { everything, hostile, hostileFlow, named } from "./support/flows.ts"
import { busy } from "./support/runs.ts"
import { fan } from "./support/traces.ts"

// While other tests run, a browser is slow.
vi.setConfig({ testTimeout: 60_000 })

const open = browsing()

describe("a run's page", () => {
  it("shows each step's work, and an invocation with its events on hover", async () => {
    const { flow, entries } = await busy(12)
    const { page, complaints } = await open(toHtml(timeline(entries, { workflow: flow })))
    const chart = page.locator(".run:not([hidden])")
    expect(await chart.locator(".hint").textContent()).toContain("More workers for 'words' would help most")
    expect(await chart.locator("tbody tr").count()).toBe(7)

    const box = (await page.locator("canvas").first().boundingBox())!
    let told = ""
    for (let y = 40; y < box.height && told === ""; y += 7) {
      await page.mouse.move(box.x + 190 + (box.width - 190) / 2, box.y + y)
      const tip = page.locator(".tip").first()
      if (await tip.isVisible()) told = (await tip.textContent()) ?? ""
    }
    expect(told).toMatch(/^words worker [12] · succeeded/)
    expect(told).toContain("given")
    expect(told).toMatch(/Doc\{"n":\d+,"text":"document <b>\d+<\/b> of many"\}/)
    expect(complaints).toEqual([])
  })

  it("searches the events' data, moves between matches, and keeps the clicked invocation", async () => {
    const { flow, entries } = await busy(12)
    const { page, complaints } = await open(toHtml(timeline(entries, { workflow: flow })))
    await page.keyboard.press("/")
    await page.keyboard.type('"n":11')
    // The two steps that got the event, the step that joined their results, and the steps before and after those.
    expect(await page.locator("#found").textContent()).toMatch(/^[3-9] found$/)
    await page.keyboard.press("Enter")
    const details = page.locator(".details").first()
    expect(await details.textContent()).toContain('"n":11')
    const first = await details.textContent()
    await page.keyboard.press("Enter")
    expect(await details.textContent()).not.toBe(first)
    await page.keyboard.press("Escape")
    expect(await page.locator("#found").textContent()).toBe("")
    expect(complaints).toEqual([])
  })

  it("zooms, pans, orders by entry, and shows nested runs", async () => {
    const { flow, entries } = await busy(6)
    const { page, complaints } = await open(toHtml(timeline(entries, { workflow: flow })))
    const picture = () => page.evaluate("document.querySelector('.run:not([hidden]) canvas').toDataURL()")
    await page.waitForTimeout(100)
    const seen = new Set([await picture()])
    const look = async () => {
      await page.waitForTimeout(60)
      seen.add(await picture())
      return seen.size
    }
    await page.mouse.move(700, 500)
    await page.mouse.wheel(0, -600)
    expect(await look()).toBe(2)
    await page.mouse.down()
    await page.mouse.move(500, 500, { steps: 4 })
    await page.mouse.up()
    expect(await look()).toBeGreaterThanOrEqual(3)
    await page.getByRole("button", { name: "all" }).first().click()
    await page.getByRole("button", { name: "by order" }).first().click()
    const before = seen.size
    expect(await look()).toBe(before + 1)
    await page.locator("#which").selectOption("1")
    expect(await page.locator(".run:not([hidden]) h1").textContent()).toMatch(/^inner · stopped/)
    expect(await look()).toBe(before + 2)
    expect(complaints).toEqual([])
  })

  it("leads from an invocation to its nested run", async () => {
    const { flow, entries } = await busy(2)
    const { page, complaints } = await open(toHtml(timeline(entries, { workflow: flow })))
    await page.locator("#search").fill("page#")
    await page.keyboard.press("Enter")
    const details = page.locator(".run:not([hidden]) .details")
    while (!(await details.textContent())?.startsWith("page worker")) await page.keyboard.press("Enter")
    await details.getByRole("button", { name: /^run inside: inner · stopped with InnerStop/ }).click()
    expect(await page.locator(".run:not([hidden]) h1").textContent()).toMatch(/^inner · stopped/)
    expect(await page.locator("#which").inputValue()).toMatch(/^[12]$/)
    expect(complaints).toEqual([])
  })

  it("stays smooth with 10,000 invocations", async () => {
    const { page, complaints } = await open(toHtml(timeline(fan({ invocations: 10_000, workers: 8 }))))
    await page.waitForTimeout(200)
    // The main thread's own time: a clock would count what other programs do meanwhile.
    const chromium = await page.context().newCDPSession(page)
    await chromium.send("Performance.enable", { timeDomain: "threadTicks" })
    const worked = async () =>
      (await chromium.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")!.value * 1000
    const before = await worked()
    const frames = 40
    // Zooms by the wheel, frame by frame.
    await page.evaluate(`new Promise((resolve) => {
      const canvas = document.querySelector("canvas")
      const box = canvas.getBoundingClientRect()
      let drawn = 0
      const frame = () => {
        if (drawn++ === ${frames}) return resolve()
        canvas.dispatchEvent(new WheelEvent("wheel", {
          deltaY: drawn % 20 < 10 ? -120 : 120, clientX: box.left + 600, clientY: box.top + 80, cancelable: true
        }))
        requestAnimationFrame(frame)
      }
      requestAnimationFrame(frame)
    })`)
    const each = ((await worked()) - before) / frames
    console.log(`a frame of 10,000 invocations: ${each.toFixed(1)} ms`)
    expect(each).toBeLessThan(60)
    expect(complaints).toEqual([])
  })

  it("works with the keyboard alone", async () => {
    const { page, complaints } = await open(toHtml(timeline(fan({ invocations: 12 }))))
    const details = page.locator(".details")
    const picture = () => page.evaluate("document.querySelector('canvas').toDataURL()")
    const pressed = async (key: string) => {
      const before = await picture()
      await page.keyboard.press(key)
      await page.waitForTimeout(40)
      return (await picture()) !== before
    }
    for (let i = 0; i < 6 && (await page.evaluate("document.activeElement.tagName")) !== "CANVAS"; i++) {
      await page.keyboard.press("Tab")
    }
    await page.keyboard.press("n")
    expect(await details.textContent()).toMatch(/^list worker 1 · succeeded · on the critical path/)
    await page.keyboard.press("n")
    expect(await details.textContent()).toMatch(/^work worker 1/)
    await page.keyboard.press("p")
    await page.keyboard.press("p")
    expect(await details.textContent()).toMatch(/^finish worker 1/)
    for (const key of ["+", "ArrowLeft", "0"]) expect(await pressed(key), key).toBe(true)
    await page.keyboard.press("Escape")
    expect(await details.textContent()).toBe("")
    expect(complaints).toEqual([])
  })

  it("summarises a very large run, and keeps its notable invocations", async () => {
    const html = toHtml(timeline(fan({ invocations: 30_000, workers: 8 })))
    expect(html.length).toBeLessThan(3_000_000)
    const { page, complaints } = await open(html)
    expect(await page.locator(".run").textContent()).toMatch(/Of 30,002 invocations, [\d,]+ are drawn one by one/)
    expect(complaints).toEqual([])
  })

  it("shows markup in data and names as text", async () => {
    const name = '</script><img src="http://x.test/" onerror="alert(1)">'
    const entries = fan({ invocations: hostile.length, name, data: (n) => ({ [hostile[n]!]: hostile[n] }) })
    const { page, complaints } = await open(toHtml(timeline(entries)))
    await page.locator("#search").fill("<script>alert(1)</script>")
    await page.keyboard.press("Enter")
    expect(await page.locator(".details").textContent()).toContain("<script>alert(1)</script>")
    expect(await page.locator("img").count()).toBe(0)
    expect(complaints).toEqual([])
  })
})

describe("a page of two runs", () => {
  it("lists the differences, shares one scale, and links equal invocations", async () => {
    const [short, long] = await Promise.all([busy(3), busy(5)])
    const both = compare(timeline(short.entries), timeline(long.entries))
    const { page, complaints } = await open(toHtml(both), "dark")
    expect(await page.locator("h1").allTextContents()).toEqual(["busy: two runs"])
    const told = (await page.locator("details").allTextContents()).join("\n")
    expect(told).toContain('stopped with Stop {"pages":4}')
    expect(told).toContain('only right  Doc {"n":4,"text":"document <b>4</b> of many"}')
    expect(await page.locator("table").first().locator("tbody tr").count()).toBe(7)

    // First the common part, then the part that only the right run has.
    const details = page.locator(".details")
    await page.locator("canvas").last().focus()
    await page.keyboard.press("n")
    for (const told of await details.allTextContents()) expect(told).toMatch(/^list worker 1 · succeeded/)
    await page.keyboard.press("p")
    const [left, right] = await details.allTextContents()
    expect(left).toBe("")
    expect(right).toMatch(/^finish worker 1 .* · only on this side/)
    await page.locator("#search").fill('"n":4')
    expect(await page.locator("#found").textContent()).toMatch(/^\d+ · \d+ found$/)
    expect(complaints).toEqual([])
  })
})

describe("a workflow's page", () => {
  it("highlights neighbours on hover, finds steps and events, and has selectable text", async () => {
    const { page, complaints } = await open(toHtml(everything), "dark")
    await page.locator("svg text", { hasText: /^check$/ }).hover()
    const faded = () => page.locator('[data-node][style*="0.15"]').count()
    expect(await faded()).toBeGreaterThan(5)
    await page.mouse.move(2, 2)
    expect(await faded()).toBe(0)
    await page.locator("#search").fill("Words")
    expect(await page.locator("#found").textContent()).toMatch(/^[1-9]\d* found$/)
    // Its text is selectable.
    await page.locator("svg text", { hasText: /^publish$/ }).dblclick()
    expect(await page.evaluate("getSelection().toString().trim()")).toBe("publish")
    expect(complaints).toEqual([])
  })

  it("works with the keyboard alone", async () => {
    const { page, complaints } = await open(toHtml(everything))
    const view = () => page.locator("svg").getAttribute("viewBox")
    const seen = new Set([await view()])
    for (const key of ["+", "ArrowRight", "ArrowUp"]) {
      await page.keyboard.press(key)
      seen.add(await view())
    }
    expect(seen.size).toBe(4)
    await page.keyboard.press("0")
    expect(seen).toContain(await view())
    // The first step's neighbours.
    for (let i = 0; i < 9 && (await page.locator("[data-node]:focus").count()) === 0; i++)
      await page.keyboard.press("Tab")
    expect(await page.locator('[data-node][style*="0.15"]').count()).toBeGreaterThan(5)
    expect(await page.getByRole("img", { name: "check, 4 workers, recovers" }).count()).toBe(1)
    await page.keyboard.press("/")
    await page.keyboard.type("Words+0")
    expect(await page.locator("#search").inputValue()).toBe("Words+0")
    await page.keyboard.press("Escape")
    expect(await page.locator("#found").textContent()).toBe("")
    expect(complaints).toEqual([])
  })

  it("unfolds the workflow inside a step by a click, and folds it again", async () => {
    const { start, stop } = everything
    const middle = workflow({ name: "middle", start, stop, steps: { whole: asStep(everything) } })
    const outer = workflow({ name: "outer", start, stop, steps: { part: asStep(middle) } })
    const { page, complaints } = await open(toHtml(outer))
    const shown = page.locator("svg.stepgraph:not([hidden])")
    const title = () => shown.locator("title").first().textContent()
    expect(await title()).toBe("Workflow outer")
    await shown.locator('[data-step="part"]').click()
    expect(await title()).toBe("Workflow middle")
    expect(await page.locator("#path").textContent()).toBe("outer › part: middle")
    await shown.locator('[data-step="whole"]').focus()
    await page.keyboard.press("Enter")
    expect(await title()).toBe("Workflow everything")
    expect(await shown.count()).toBe(1)
    await page.locator("#search").fill("publish")
    expect(await page.locator("#found").textContent()).toMatch(/^[1-9] found$/)
    await page.locator("#search").fill("")
    // What is not folded does nothing.
    await shown.locator('[data-node][data-step="publish"]').first().click()
    await page.locator("#path button", { hasText: "part: middle" }).click()
    expect(await title()).toBe("Workflow middle")
    await page.keyboard.press("Escape")
    expect(await title()).toBe("Workflow outer")
    expect(await page.locator("#path").isVisible()).toBe(false)
    expect(complaints).toEqual([])
  })
})

describe("names and data with a meaning in HTML", () => {
  let page: Page | undefined
  /** Counts the elements by name in each text as the browser parses it, including parse errors. */
  const read = async (...texts: ReadonlyArray<readonly [text: string, type: string]>) => {
    page ??= (await open('<!doctype html><link rel="icon" href="data:,">')).page
    const found: Array<Record<string, number>> = await page.evaluate(`${JSON.stringify(texts)}.map(([text, type]) => {
      const counts = {}
      for (const { localName } of new DOMParser().parseFromString(text, type).querySelectorAll("*")) {
        counts[localName] = (counts[localName] ?? 0) + 1
      }
      return counts
    })`)
    return found
  }
  it.effect.prop(
    "break no picture of a workflow",
    { flow: hostileFlow },
    ({ flow }) =>
      Effect.promise(async () => {
        const [drawn, shown] = await read([toSvg(flow), "image/svg+xml"], [toHtml(flow), "text/html"])
        expect(drawn).toMatchObject({ svg: 1, desc: 1, style: 1 })
        expect(drawn).not.toHaveProperty("parsererror")
        expect(shown).toMatchObject({ script: 2, svg: 1, h1: 1 })
        expect(shown).not.toHaveProperty("img")
      }),
    { arbitrary: { runs: 25 } }
  )

  it("break no picture of a run", async () => {
    page = undefined
    const other = timeline(fan({ invocations: 2 }))
    for (const name of hostile) {
      const run = timeline(fan({ invocations: 3, name, takes: 9, data: () => ({ [name]: name }) }))
      const [drawn, ...pages] = await read(
        [toSvg(run), "image/svg+xml"],
        [toHtml(run), "text/html"],
        [toHtml(compare(run, other)), "text/html"]
      )
      expect(drawn, name).toMatchObject({ svg: 1, desc: 1, style: 1 })
      expect(drawn, name).not.toHaveProperty("parsererror")
      for (const shown of pages) {
        expect(shown, name).toMatchObject({ script: 2, h1: 1 })
        for (const not of ["img", "b", "svg"]) expect(shown, name).not.toHaveProperty(not)
      }
    }
  })
})

describe("an SVG", () => {
  it("has an accessible name and description, and follows light and dark mode", async () => {
    const { page } = await open(`<!doctype html><link rel="icon" href="data:,">${toSvg(everything)}`)
    const picture = page.getByRole("img", { name: "Workflow everything", exact: true })
    expect(await picture.count()).toBe(1)
    expect(await picture.locator("desc").first().textContent()).toMatch(/^10 steps\. From start to list by Start; /)
    const ground = () => page.evaluate("getComputedStyle(document.querySelector('.ground')).fill")
    expect(await ground()).toBe("rgb(255, 255, 255)")
    await page.emulateMedia({ colorScheme: "dark" })
    expect(await ground()).toBe("rgb(13, 17, 23)")
  })
})

describe("a Mermaid flowchart", () => {
  it("is drawn by Mermaid itself", async () => {
    const { page } = await open('<!doctype html><link rel="icon" href="data:,"><div id="host"></div>')
    const root = createRequire(import.meta.url)
      .resolve("mermaid/package.json")
      .replace(/package\.json$/, "")
    await page.addScriptTag({ path: `${root}dist/mermaid.min.js` })
    const words = async (flow: Drawable): Promise<ReadonlyArray<string>> =>
      page.evaluate(
        `mermaid.render("drawn", ${JSON.stringify(toMermaid(flow))}).then(({ svg }) => {
          const host = document.getElementById("host")
          host.innerHTML = svg
          return [...host.querySelectorAll("p")].map((label) => label.innerText.replaceAll("\u200b", ""))
        })`
      )
    expect(await words(everything)).toEqual(
      expect.arrayContaining(["for each Doc", "gather all\nper Doc", "read\nunbounded workers\ntimeout 2s", "Approval"])
    )
    for (const name of ['a &amp; "b"', "<b>#35;</b>", "- end -->", "1. `x` *y* $$z$$"]) {
      expect(await words(named(name, `on ${name}`))).toEqual([
        `on ${name}`,
        "Stop",
        "start",
        `${name}\n4 workers`,
        "stop"
      ])
    }
    expect(await page.locator("b, i, img").count()).toBe(0)
  })
})
