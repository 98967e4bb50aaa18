/**
 * The behaviour of a workflow's page: zoom and pan, highlighting a step's neighbours, search, and unfolding the workflow
 * inside a step. It is written into the page as text, so it uses only its arguments and the browser's globals.
 */

/** A browser's `document` and `window`, for which this program has no types. */
type Browser = any

export const showGraph = (document: Browser, window: Browser): void => {
  interface Picture {
    readonly name: string
    readonly edges: ReadonlyArray<{
      readonly from: string
      readonly to: string
      readonly events: ReadonlyArray<string>
    }>
    /** The place of the picture inside a node. */
    readonly inner: Readonly<Record<string, number>>
  }
  const pictures: ReadonlyArray<Picture> = JSON.parse(document.getElementById("data").textContent)
  const views = [...document.querySelectorAll("svg.stepgraph")].map((svg: Browser, place) => {
    const all = svg.viewBox.baseVal
    const whole = { x: all.x, y: all.y, width: all.width, height: all.height }
    const nodes = [...svg.querySelectorAll("[data-node]")]
    const edges = [...svg.querySelectorAll("[data-edge]")]
    return { picture: pictures[place]!, svg, whole, nodes, edges, view: { ...whole } }
  })
  /** The picture that is shown, and the pictures around it. */
  let path: Array<{ readonly place: number; readonly step: string }> = [{ place: 0, step: "" }]
  let here = views[0]!
  const show = () => {
    const { x, y, width, height } = here.view
    here.svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`)
  }
  const zoom = (factor: number, px = 0.5, py = 0.5) => {
    const { view, whole } = here
    const width = Math.min(whole.width * 4, Math.max(40, view.width * factor))
    const height = (width / view.width) * view.height
    here.view = { x: view.x + px * (view.width - width), y: view.y + py * (view.height - height), width, height }
    show()
  }
  const focus = (near: ((element: Browser) => boolean) | undefined) => {
    for (const part of [...here.nodes, ...here.edges]) {
      part.style.opacity = near === undefined || near(part) ? "" : "0.15"
    }
  }
  const near = (node: Browser) => {
    const { edges } = here.picture
    const id = node.dataset.node
    const touching = edges.flatMap(({ from, to }, i) => (from === id || to === id ? [i] : []))
    const beside = new Set(touching.flatMap((i) => [edges[i]!.from, edges[i]!.to]))
    return (part: Browser): boolean =>
      part.dataset.node === undefined
        ? touching.includes(Number(part.dataset.edge))
        : part === node || beside.has(part.dataset.node)
  }
  const trail = document.getElementById("path")
  const go = (to: typeof path) => {
    path = to
    here.svg.setAttribute("hidden", "")
    here = views[path[path.length - 1]!.place]!
    here.svg.removeAttribute("hidden")
    trail.hidden = path.length === 1
    trail.replaceChildren(
      ...path.flatMap(({ place, step }, depth) => {
        const last = depth === path.length - 1
        const part = document.createElement(last ? "b" : "button")
        part.textContent = step === "" ? pictures[place]!.name : `${step}: ${pictures[place]!.name}`
        if (!last) part.addEventListener("click", () => go(path.slice(0, depth + 1)))
        return depth === 0 ? [part] : [" › ", part]
      })
    )
    look()
  }
  let moved = false
  for (const { svg, nodes, picture } of views) {
    // Screen readers treat a picture as one object; here they can visit each step.
    svg.setAttribute("role", "group")
    for (const node of nodes) {
      const words = [...node.querySelectorAll("text")].map((line: Browser) => line.textContent)
      const inner = picture.inner[node.dataset.node]
      node.setAttribute("role", inner === undefined ? "img" : "button")
      node.setAttribute("aria-label", words.join(", "))
      node.setAttribute("tabindex", "0")
      for (const event of ["pointerenter", "focus"]) node.addEventListener(event, () => focus(near(node)))
      for (const event of ["pointerleave", "blur"]) node.addEventListener(event, () => look())
      if (inner === undefined) continue
      const unfold = () => go([...path, { place: inner, step: node.dataset.step }])
      node.addEventListener("click", () => {
        if (!moved && String(window.getSelection()) === "") unfold()
      })
      node.addEventListener("keydown", (event: Browser) => {
        if (event.key !== "Enter" && event.key !== " ") return
        event.preventDefault()
        unfold()
      })
    }
  }
  const search = document.getElementById("search")
  const found = document.getElementById("found")
  const look = () => {
    const wanted = search.value.trim().toLowerCase()
    const { nodes, edges } = here
    const has = (part: Browser) => part.textContent.toLowerCase().includes(wanted)
    focus(wanted === "" ? undefined : has)
    found.textContent = wanted === "" ? "" : `${nodes.filter(has).length + edges.filter(has).length} found`
  }
  search.addEventListener("input", look)

  let dragged: { readonly x: number; readonly y: number } | undefined
  const share = (event: Browser) => {
    const box = here.svg.getBoundingClientRect()
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] as const
  }
  for (const { svg } of views) {
    svg.addEventListener(
      "wheel",
      (event: Browser) => {
        event.preventDefault()
        zoom(1.0016 ** event.deltaY, ...share(event))
      },
      { passive: false }
    )
    svg.addEventListener("pointerdown", (event: Browser) => {
      moved = false
      // Text can be selected; dragging anywhere else moves the picture.
      if (event.target.tagName !== "text") dragged = { x: event.clientX, y: event.clientY }
    })
  }
  window.addEventListener("pointermove", (event: Browser) => {
    if (dragged === undefined) return
    const { view, svg } = here
    const size = view.width / svg.getBoundingClientRect().width
    moved = true
    here.view = {
      ...view,
      x: view.x - (event.clientX - dragged.x) * size,
      y: view.y - (event.clientY - dragged.y) * size
    }
    dragged = { x: event.clientX, y: event.clientY }
    show()
  })
  window.addEventListener("pointerup", () => (dragged = undefined))
  const reset = () => {
    here.view = { ...here.whole }
    show()
  }
  const pan = (right: number, down: number) => {
    const { view } = here
    here.view = { ...view, x: view.x + (right * view.width) / 8, y: view.y + (down * view.height) / 8 }
    show()
  }
  document.getElementById("in").addEventListener("click", () => zoom(0.7))
  document.getElementById("out").addEventListener("click", () => zoom(1 / 0.7))
  document.getElementById("all").addEventListener("click", reset)
  const keys: Record<string, () => unknown> = {
    ArrowLeft: () => pan(-1, 0),
    ArrowRight: () => pan(1, 0),
    ArrowUp: () => pan(0, -1),
    ArrowDown: () => pan(0, 1),
    "+": () => zoom(0.7),
    "=": () => zoom(0.7),
    "-": () => zoom(1 / 0.7),
    "0": reset,
    "/": () => search.focus(),
    Escape: () => path.length > 1 && go(path.slice(0, -1))
  }
  document.addEventListener("keydown", (event: Browser) => {
    if (event.target === search && event.key === "Escape") {
      search.value = ""
      look()
    }
    const act = event.target === search || event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
}
