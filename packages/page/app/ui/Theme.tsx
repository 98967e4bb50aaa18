/**
 * Light or dark: as the system has it, until somebody chooses.
 */
import { useState } from "preact/hooks"

const key = "stepgraph-theme"
const order = ["auto", "light", "dark"] as const
type Theme = (typeof order)[number]

const stored = (): Theme => {
  const theme = localStorage.getItem(key) as Theme | null
  return theme !== null && order.includes(theme) ? theme : "auto"
}

export const applyTheme = (theme = stored()): void => {
  if (theme === "auto") delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  dispatchEvent(new Event("stepgraph-theme"))
}

const signs: Readonly<Record<Theme, string>> = { auto: "◐", light: "☀", dark: "☾" }

export const ThemeSwitch = () => {
  const [theme, setTheme] = useState(stored)
  return (
    <button
      type="button"
      class="quiet theme"
      aria-label={`Colours: ${theme}`}
      title={`Colours: ${theme}`}
      onClick={(event) => {
        event.preventDefault()
        const next = order[(order.indexOf(theme) + 1) % order.length]!
        localStorage.setItem(key, next)
        setTheme(next)
        applyTheme(next)
      }}
    >
      {signs[theme]}
    </button>
  )
}
