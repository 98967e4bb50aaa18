/**
 * Where programs run: in a worker inside a frame of an origin of its own, which may load nothing and reach nobody. The worker
 * keeps an endless loop off the page, and ends with the frame.
 */
import type { Report, Task } from "./protocol.ts"

const policy = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:"

// The frame passes messages on, in both directions. It gets the worker's code by message, as it may not fetch it.
const frameScript = `
  onmessage = ({ data, ports, source }) => {
    if (source !== parent) return
    const [port] = ports
    const worker = new Worker(URL.createObjectURL(new Blob([data], { type: "text/javascript" })))
    port.onmessage = ({ data }) => worker.postMessage(data)
    worker.onmessage = ({ data }) => port.postMessage(data)
    worker.onerror = ({ message }) => port.postMessage({ report: "done", failed: true, text: message })
  }
`

export interface Sandbox {
  readonly post: (task: Task) => void
  /** Ends whatever runs in it, at once. */
  readonly stop: () => void
}

export const openSandbox = async (hear: (report: Report) => void): Promise<Sandbox> => {
  const { default: runtime } = await import("virtual:playground-runtime")
  const frame = document.createElement("iframe")
  frame.setAttribute("sandbox", "allow-scripts")
  frame.title = "The program that runs"
  frame.style.display = "none"
  frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}"><script>${frameScript}</script>`
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = ({ data }) => hear(data)
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }))
  document.body.append(frame)
  await loaded
  // The frame's origin has no name, so no other target than `*` reaches it.
  frame.contentWindow!.postMessage(runtime, "*", [port2])
  return {
    post: (task) => port1.postMessage(task),
    stop: () => {
      port1.close()
      frame.remove()
    }
  }
}
