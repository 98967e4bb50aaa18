/**
 * A workflow as a page with a picture to explore. The workflows inside its steps are pictures of their own, which a click
 * unfolds.
 */
import { showGraph } from "./client/graph.ts"
import type { Drawable } from "./drawable.ts"
import { graphSvg } from "./graph-svg.ts"
import { pictureOf } from "./model.ts"
import { page } from "./page.ts"
import type { DrawOptions, Picture } from "./picture.ts"
import { xml } from "./text.ts"

const style =
  "body{height:100vh;box-sizing:border-box;display:flex;flex-direction:column}" +
  "svg.stepgraph{flex:1;width:100%;min-height:0;cursor:grab}svg.stepgraph text{cursor:text}" +
  "svg.stepgraph[hidden]{display:none}svg.stepgraph .folded{cursor:zoom-in}" +
  "#path{margin:4px 0}#path[hidden]{display:none}"

/** All pictures of a page: the whole one first. `inner` gives the place of the one inside a node. */
interface Unfolded {
  readonly picture: Picture
  readonly inner: Readonly<Record<string, number>>
}

const unfolded = (flow: Drawable, options: DrawOptions | undefined): ReadonlyArray<Unfolded> => {
  const all: Array<Unfolded> = []
  const draw = (picture: Picture): number => {
    const inner: Record<string, number> = {}
    const place = all.push({ picture, inner }) - 1
    for (const { id, inner: flow } of picture.nodes) {
      if (flow !== undefined) inner[id] = draw(pictureOf(flow, { direction: options?.direction }))
    }
    return place
  }
  draw(pictureOf(flow, options))
  return all
}

export const graphHtml = (flow: Drawable, options: DrawOptions | undefined): string => {
  const pictures = unfolded(flow, options)
  const { name } = pictures[0]!.picture
  return page({
    title: `${name}: a workflow`,
    style,
    body: [
      `<h1>${xml(name)}</h1>`,
      '<nav id="path" aria-label="Where this picture is" hidden></nav>',
      '<div class="bar">',
      '<input id="search" type="search" placeholder="Search steps and events ( / )" aria-label="Search steps and events">',
      '<button id="in" title="Zoom in (+)">+</button><button id="out" title="Zoom out (-)">−</button><button id="all" title="Show the whole picture (0)">all</button>',
      '<span id="found" class="soft" aria-live="polite"></span>',
      "</div>",
      ...pictures.map(({ picture }, place) => {
        const svg = graphSvg(picture, place === 0 ? undefined : `sg${place}`)
        return place === 0 ? svg : svg.replace("<svg ", "<svg hidden ")
      })
    ].join("\n"),
    data: pictures.map(({ picture: { name, edges }, inner }) => ({ name, edges, inner })),
    script: showGraph
  })
}
