/**
 * Small parts that several panes use.
 */
import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import type { Selection } from "../route.ts"
import type { RunStore } from "../run-store.ts"

/** A part of a run's page in which something can be selected. */
export interface Pane {
  readonly store: RunStore
  readonly selection: Selection | undefined
  readonly onSelect: (selection: Selection | undefined) => void
}

const words: Readonly<Record<string, string>> = { stopped: "done" }

export const wordOf = (status: string): string => words[status] ?? status

export const Status = ({ status }: { readonly status: string }) => (
  <span class={`status ${status}`}>
    <i aria-hidden="true" />
    {wordOf(status)}
  </span>
)

export const Copy = ({ label, text }: { readonly label: string; readonly text: () => string }) => {
  const [said, setSaid] = useState<string>()
  return (
    <button
      type="button"
      onClick={async () => {
        const done = await copied(text())
        setSaid(done ? "Copied" : "Could not copy")
        setTimeout(() => setSaid(undefined), 1_500)
      }}
    >
      {said ?? label}
    </button>
  )
}

const copied = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Pages without TLS on another host have no clipboard.
    const area = document.createElement("textarea")
    area.value = text
    document.body.append(area)
    area.select()
    const done = document.execCommand("copy")
    area.remove()
    return done
  }
}

export const Empty = ({ children, title }: { readonly title: string; readonly children?: ComponentChildren }) => (
  <div class="empty">
    <p class="strong">{title}</p>
    {children}
  </div>
)

/** Offers a file to keep. */
export const download = (name: string, type: string, body: string): void => {
  const address = URL.createObjectURL(new Blob([body], { type }))
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
