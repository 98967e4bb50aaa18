// Unknown options are refused, with a suggestion; otherwise a typo would be ignored silently.
import { liveView, timeline, toDot, toHtml, toMermaid, toSvg, toText } from "@stepgraph/viz"
import { expect, it } from "vitest"
import { busyFlow } from "./support/runs.ts"

type Untyped = (...given: ReadonlyArray<any>) => any

it.each<[string, Untyped, object, string]>([
  ["toDot", toDot, { directon: "down" }, "toDot: there is no option 'directon': did you mean 'direction'?"],
  ["toMermaid", toMermaid, { direct: "down" }, "toMermaid: there is no option 'direct': did you mean 'direction'?"],
  ["toSvg", toSvg, { nest: {} }, "toSvg: there is no option 'nest': did you mean 'nested'?"],
  ["toHtml", toHtml, { covrage: {} }, "toHtml: there is no option 'covrage': did you mean 'coverage'?"],
  ["toText", toText, { color: true }, "toText: there is no option 'color': did you mean 'colour'?"],
  ["liveView", liveView, { interval: 3 }, "liveView: there is no option 'interval': the options are 'stream', 'every'"]
])("%s refuses one", (_, draw, options, message) => {
  expect(() => draw(busyFlow, options)).toThrow(new TypeError(message))
})

it("timeline refuses one", () => {
  expect(() => (timeline as Untyped)([], { flow: busyFlow })).toThrow("timeline: there is no option 'flow'")
})
