/** The details of an invocation, and the text that a search looks at. */
import type { ChartData } from "../chart-data.ts"
import type { time as formatTime } from "../text.ts"
import type { Browser } from "./browser.ts"

export interface Details {
  /** Elements that describe an invocation and a limited number of its events. */
  readonly about: (place: number, most: number) => ReadonlyArray<Browser>
  /** All searchable text. */
  readonly words: (place: number) => string
}

export const makeDetails = (
  document: Browser,
  data: ChartData,
  { time }: { readonly time: typeof formatTime },
  /** The runs that an invocation started, and how to show them. */
  inside: (id: string) => ReadonlyArray<{ readonly title: string; readonly show: () => void }>
): Details => {
  const { steps, invocations, events } = data
  const words = new Map<number, string>()
  const element = (name: string, text = "", kind = ""): Browser => {
    const made = document.createElement(name)
    made.textContent = text
    if (kind !== "") made.className = kind
    return made
  }
  const eventLine = (place: number): Browser => {
    const { id, tag, data } = events[place]!
    const made = element("div", "", "event")
    made.append(element("b", tag), element("code", data))
    made.title = id
    return made
  }
  return {
    about: (place, most) => {
      const one = invocations[place]!
      const head = element("div", "", "head")
      const remarks = [one.outcome, one.critical ? "on the critical path" : "", one.differs ?? ""]
      head.append(
        element("b", steps[one.step]!.name),
        element("span", ` worker ${one.row + 1} · ${remarks.filter((text) => text !== "").join(" · ")}`)
      )
      const times = [
        `from ${time(one.start[0])} to ${time(one.end[0])}`,
        `running ${time(one.end[0] - one.start[0])}`,
        `waiting for a worker ${time(one.start[0] - one.ready[0])}`,
        ...(one.intake ? [`its intake waiting ${time(one.ready[0] - one.since[0])}`] : []),
        ...(one.attempts.length > 1 ? [`${one.attempts.length} attempts`] : [])
      ].join(" · ")
      const lines = [head, element("div", times, "soft")]
      if (one.error !== null) lines.push(element("div", one.error, "bad"))
      for (const { outcome, error, from, to } of one.attempts) {
        if (outcome !== "retried") continue
        lines.push(element("div", `${time(to[0] - from[0])}, then retried: ${error}`, "bad"))
      }
      for (const { name, from, to } of one.limits) {
        lines.push(element("div", `waiting ${time(to[0] - from[0])} for limit ${name}`, "soft"))
      }
      for (const error of one.finalizerErrors) lines.push(element("div", `a finalizer failed: ${error}`, "bad"))
      if (one.scope !== null) lines.push(element("div", `in the scope of ${one.scope}`, "soft"))
      for (const { title, show } of inside(one.id)) {
        const button = element("button", `run inside: ${title}`)
        button.addEventListener("click", show)
        lines.push(button)
      }
      for (const [title, places] of [
        ["given", one.events],
        ["emitted", one.emitted]
      ] as const) {
        if (places.length === 0) continue
        lines.push(element("div", title, "soft"), ...places.slice(0, most).map(eventLine))
        if (places.length > most) lines.push(element("div", `and ${places.length - most} more`, "soft"))
      }
      return lines
    },
    words: (place) => {
      let text = words.get(place)
      if (text === undefined) {
        const { id, step, outcome, error, events: given, emitted } = invocations[place]!
        const about = [...given, ...emitted].map((e) => `${events[e]!.id} ${events[e]!.data}`)
        text = `${id} ${steps[step]!.name} ${outcome} ${error ?? ""} ${about.join(" ")}`.toLowerCase()
        words.set(place, text)
      }
      return text
    }
  }
}
