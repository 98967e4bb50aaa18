/**
 * What the page shows, as the fragment of its address: `#/runs/<id>?select=…&at=…`.
 */
import { useEffect, useState } from "preact/hooks"

export type Selection =
  | { readonly kind: "event"; readonly id: string }
  | { readonly kind: "call"; readonly id: string }
  | { readonly kind: "step"; readonly id: string }

export interface Route {
  readonly workflow: string | undefined
  readonly run: string | undefined
  readonly selection: Selection | undefined
  /** The number of entries of the trace to look at; `undefined` for all, as they come. */
  readonly at: number | undefined
  /** The run to compare with. */
  readonly beside: string | undefined
}

const nothing: Route = { workflow: undefined, run: undefined, selection: undefined, at: undefined, beside: undefined }

export const read = (hash: string): Route => {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?")
  const [, kind, ...rest] = path.split("/")
  const named = safely(rest.join("/"))
  const asked = new URLSearchParams(query)
  const [, what, id] = /^(event|call|step):(.*)$/s.exec(asked.get("select") ?? "") ?? []
  const at = asked.get("at")
  return {
    ...nothing,
    workflow: kind === "workflows" ? named : undefined,
    run: kind === "runs" ? named : undefined,
    selection: what === undefined ? undefined : { kind: what as Selection["kind"], id: id! },
    at: at !== null && /^\d+$/.test(at) ? Number(at) : undefined,
    beside: asked.get("beside") ?? undefined
  }
}

const safely = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text) || undefined
  } catch {
    return undefined
  }
}

const written = ({ at, beside, run, selection, workflow }: Route): string => {
  if (run === undefined) return workflow === undefined ? "#/" : `#/workflows/${encodeURIComponent(workflow)}`
  const query = new URLSearchParams()
  if (selection !== undefined) query.set("select", `${selection.kind}:${selection.id}`)
  if (at !== undefined) query.set("at", String(at))
  if (beside !== undefined) query.set("beside", beside)
  const text = query.toString()
  return `#/runs/${encodeURIComponent(run)}${text === "" ? "" : `?${text}`}`
}

export const linkTo = (route: Partial<Route>): string => written({ ...nothing, ...route })

export const go = (route: Partial<Route>): void => {
  location.hash = linkTo(route)
}

/** Changes a part of the route, without a step in the history. */
export const adjust = (part: Partial<Route>): void => {
  const next = written({ ...read(location.hash), ...part })
  if (next === location.hash) return
  history.replaceState(null, "", next)
  dispatchEvent(new HashChangeEvent("hashchange"))
}

export const useRoute = (): Route => {
  const [route, setRoute] = useState(() => read(location.hash))
  useEffect(() => {
    const changed = () => setRoute(read(location.hash))
    addEventListener("hashchange", changed)
    return () => removeEventListener("hashchange", changed)
  }, [])
  return route
}
