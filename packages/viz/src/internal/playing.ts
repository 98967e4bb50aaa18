/**
 * A picture that draws itself again and again, without a script.
 */

/** The share of its time in which a picture is whole, so that it can also be read. */
const whole = 0.25

const style =
  "svg.stepgraph-run .now{stroke:var(--sg-soft)}" +
  "@media (prefers-reduced-motion:reduce){svg.stepgraph-run .plays{clip-path:none}svg.stepgraph-run .now{display:none}}"

/** The part of the picture that a line crosses as time passes. */
interface Stage {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Shows what is inside as far as the line has come. */
export const playing = (
  inside: ReadonlyArray<string>,
  millis: number,
  { bottom, left, right, top }: Stage
): ReadonlyArray<string> => {
  const id = `sg-play-${millis}-${bottom}`
  const seconds = Math.round(millis / (1 - whole)) / 1000
  const times = `keyTimes="0;${1 - whole};1" dur="${seconds}s" repeatCount="indefinite"`
  const moves = (attribute: string, last = right) =>
    `<animate attributeName="${attribute}" values="${left};${right};${last}" ${times}/>`
  // At last, marks that reach past the end of time are shown as well.
  return [
    `<style>${style}</style>`,
    `<clipPath id="${id}"><rect width="${right * 2}" height="${bottom}">${moves("width", right * 2)}</rect></clipPath>`,
    `<g class="plays" clip-path="url(#${id})">`,
    ...inside,
    "</g>",
    `<line class="now" y1="${top}" y2="${bottom}" x1="${right}" x2="${right}">${moves("x1")}${moves("x2")}</line>`
  ]
}
