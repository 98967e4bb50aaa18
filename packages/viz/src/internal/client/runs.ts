/** A page of runs: one search over all charts, the choice of visible charts, and linked selection between two runs. */
import type { ChartData, PackedChart, Table } from "../chart-data.ts"
import type { Browser, Chart } from "./browser.ts"
import type { ChartParts, makeChart } from "./chart.ts"

export interface RunsParts extends ChartParts {
  readonly makeChart: typeof makeChart
}

export const showRuns = (document: Browser, window: Browser, parts: RunsParts): void => {
  const { charts, linked }: { readonly charts: ReadonlyArray<PackedChart>; readonly linked: boolean } = JSON.parse(
    document.getElementById("data").textContent
  )
  const unpacked = ({ keys, rows }: Table): ReadonlyArray<any> =>
    rows.map((row) => Object.fromEntries(keys.map((key, i) => [key, row[i]])))
  const hosts: ReadonlyArray<Browser> = [...document.querySelectorAll(".run")]
  const mounted = new Map<Browser, Chart>()
  const mount = (host: Browser) => {
    if (host.hidden || mounted.has(host)) return
    const chosen = charts[Number(host.dataset.chart)]!
    const data: ChartData = {
      ...chosen,
      invocations: unpacked(chosen.invocations),
      events: unpacked(chosen.events)
    }
    const chart = parts.makeChart(document, window, data, host, parts, {
      selected: (id) => {
        // Equal causes have equal ids in both runs.
        if (!linked) return
        for (const other of mounted.values()) {
          if (other !== chart) other.select(other.data.invocations.findIndex((one) => one.id === id))
        }
      },
      inside: (id) =>
        charts.flatMap(({ parent, title }, i) =>
          which !== null && parent?.run === data.run && parent.invocation === id
            ? [{ title, show: () => show(String(i)) }]
            : []
        )
    })
    mounted.set(host, chart)
  }
  const which = document.getElementById("which")
  const show = (place: string) => {
    which.value = place
    for (const host of hosts) host.hidden = host.dataset.chart !== place
    for (const host of hosts) mount(host)
    look(false)
  }
  which?.addEventListener("change", () => show(which.value))

  const search = document.getElementById("search")
  const found = document.getElementById("found")
  const look = (go: boolean) => {
    const shown = hosts.filter((host) => !host.hidden).map((host) => mounted.get(host)!)
    const results = shown.map((chart) => chart.search(search.value, go)).filter((text) => text !== "")
    const drawn = shown.some(({ data }) => data.summarised !== null) ? " among those drawn one by one" : ""
    found.textContent = results.length === 0 ? "" : `${results.join(" · ")} found${drawn}`
  }
  search.addEventListener("input", () => look(false))
  search.addEventListener("keydown", (event: Browser) => {
    if (event.key === "Enter") look(true)
    if (event.key !== "Escape") return
    search.value = ""
    look(false)
  })
  document.addEventListener("keydown", (event: Browser) => {
    if (event.key !== "/" || event.target === search) return
    event.preventDefault()
    search.focus()
  })
  for (const host of hosts) mount(host)
}
