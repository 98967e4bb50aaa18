/**
 * The behaviour of a workflow's page: zoom and pan, highlighting a step's neighbours, and search. It is written into
 * the page as text, so it uses only its arguments and the browser's globals.
 */

/** A browser's `document` and `window`, for which this program has no types. */
type Browser = any

export const showGraph = (document: Browser, window: Browser): void => {
  const picture: {
    readonly edges: ReadonlyArray<{
      readonly from: string
      readonly to: string
      readonly events: ReadonlyArray<string>
    }>
  } = JSON.parse(document.getElementById("data").textContent)
  const svg = document.querySelector("svg.stepgraph")
  const all = svg.viewBox.baseVal
  const whole = { x: all.x, y: all.y, width: all.width, height: all.height }
  let view = { ...whole }
  const show = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`)
  const zoom = (factor: number, px = 0.5, py = 0.5) => {
    const width = Math.min(whole.width * 4, Math.max(40, view.width * factor))
    const height = (width / view.width) * view.height
    view = { x: view.x + px * (view.width - width), y: view.y + py * (view.height - height), width, height }
    show()
  }
  const nodes = [...document.querySelectorAll("[data-node]")]
  const edges = [...document.querySelectorAll("[data-edge]")]
  const parts = [...nodes, ...edges]
  const focus = (near: ((element: Browser) => boolean) | undefined) => {
    for (const part of parts) part.style.opacity = near === undefined || near(part) ? "" : "0.15"
  }
  const near = (node: Browser) => {
    const id = node.dataset.node
    const touching = picture.edges.flatMap(({ from, to }, i) => (from === id || to === id ? [i] : []))
    const beside = new Set(touching.flatMap((i) => [picture.edges[i]!.from, picture.edges[i]!.to]))
    return (part: Browser): boolean =>
      part.dataset.node === undefined
        ? touching.includes(Number(part.dataset.edge))
        : part === node || beside.has(part.dataset.node)
  }
  // Screen readers treat a picture as one object; here they can visit each step.
  svg.setAttribute("role", "group")
  for (const node of nodes) {
    const words = [...node.querySelectorAll("text")].map((line: Browser) => line.textContent)
    node.setAttribute("role", "img")
    node.setAttribute("aria-label", words.join(", "))
    node.setAttribute("tabindex", "0")
    for (const event of ["pointerenter", "focus"]) node.addEventListener(event, () => focus(near(node)))
    for (const event of ["pointerleave", "blur"]) node.addEventListener(event, () => look())
  }
  const search = document.getElementById("search")
  const found = document.getElementById("found")
  const look = () => {
    const wanted = search.value.trim().toLowerCase()
    const has = (part: Browser) => part.textContent.toLowerCase().includes(wanted)
    focus(wanted === "" ? undefined : has)
    found.textContent = wanted === "" ? "" : `${nodes.filter(has).length + edges.filter(has).length} found`
  }
  search.addEventListener("input", look)

  let dragged: { readonly x: number; readonly y: number } | undefined
  const share = (event: Browser) => {
    const box = svg.getBoundingClientRect()
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] as const
  }
  svg.addEventListener(
    "wheel",
    (event: Browser) => {
      event.preventDefault()
      zoom(1.0016 ** event.deltaY, ...share(event))
    },
    { passive: false }
  )
  svg.addEventListener("pointerdown", (event: Browser) => {
    // Text can be selected; dragging anywhere else moves the picture.
    if (event.target.tagName !== "text") dragged = { x: event.clientX, y: event.clientY }
  })
  window.addEventListener("pointermove", (event: Browser) => {
    if (dragged === undefined) return
    const size = view.width / svg.getBoundingClientRect().width
    view = { ...view, x: view.x - (event.clientX - dragged.x) * size, y: view.y - (event.clientY - dragged.y) * size }
    dragged = { x: event.clientX, y: event.clientY }
    show()
  })
  window.addEventListener("pointerup", () => (dragged = undefined))
  const reset = () => {
    view = { ...whole }
    show()
  }
  const pan = (right: number, down: number) => {
    view = { ...view, x: view.x + (right * view.width) / 8, y: view.y + (down * view.height) / 8 }
    show()
  }
  document.getElementById("in").addEventListener("click", () => zoom(0.7))
  document.getElementById("out").addEventListener("click", () => zoom(1 / 0.7))
  document.getElementById("all").addEventListener("click", reset)
  const keys: Record<string, () => void> = {
    ArrowLeft: () => pan(-1, 0),
    ArrowRight: () => pan(1, 0),
    ArrowUp: () => pan(0, -1),
    ArrowDown: () => pan(0, 1),
    "+": () => zoom(0.7),
    "=": () => zoom(0.7),
    "-": () => zoom(1 / 0.7),
    "0": reset,
    "/": () => search.focus()
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
