import { render } from "preact"
import { App } from "./App.tsx"
import "./style.css"

/** Shows the playground in an element; the result takes it away again. */
export const mount = (element: HTMLElement): (() => void) => {
  render(<App />, element)
  return () => render(null, element)
}
