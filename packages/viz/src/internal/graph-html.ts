/**
 * A workflow as a page with a picture to explore.
 */
import { showGraph } from "./client/graph.ts"
import { graphSvg } from "./graph-svg.ts"
import { page } from "./page.ts"
import type { Picture } from "./picture.ts"
import { xml } from "./text.ts"

const style =
  "body{height:100vh;box-sizing:border-box;display:flex;flex-direction:column}" +
  "svg.stepgraph{flex:1;width:100%;min-height:0;cursor:grab}svg.stepgraph text{cursor:text}"

export const graphHtml = (picture: Picture): string =>
  page({
    title: `${picture.name}: a workflow`,
    style,
    body: [
      `<h1>${xml(picture.name)}</h1>`,
      '<div class="bar">',
      '<input id="search" type="search" placeholder="Search steps and events ( / )" aria-label="Search steps and events">',
      '<button id="in" title="Zoom in (+)">+</button><button id="out" title="Zoom out (-)">−</button><button id="all" title="Show the whole picture (0)">all</button>',
      '<span id="found" class="soft" aria-live="polite"></span>',
      "</div>",
      graphSvg(picture)
    ].join("\n"),
    data: { edges: picture.edges },
    script: showGraph
  })
