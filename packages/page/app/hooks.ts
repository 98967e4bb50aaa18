/**
 * Hooks that several panes use.
 */
import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import type { RunStore } from "./run-store.ts"

/** Renders again whenever the store has changed: at most once in a frame. */
export const useStore = (store: RunStore): void => {
  const [, turn] = useState(0)
  useEffect(() => store.subscribe(() => turn((n) => n + 1)), [store])
}

/** Calls at once and then every so often, while the page is visible. */
export const useEvery = (millis: number, call: () => void, deps: ReadonlyArray<unknown>): void => {
  useEffect(() => {
    call()
    const timer = setInterval(() => {
      if (!document.hidden) call()
    }, millis)
    return () => clearInterval(timer)
  }, [millis, ...deps])
}

/** The time, every so often: for ages. */
export const useNow = (millis: number): number => {
  const [now, setNow] = useState(Date.now)
  useEvery(millis, () => setNow(Date.now()), [])
  return now
}

export const useDebounced = <A>(value: A, millis: number): A => {
  const [late, setLate] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), millis)
    return () => clearTimeout(timer)
  }, [value, millis])
  return late
}

/** Runs an action once at a time, and says what went wrong. */
export const useAction = (): {
  readonly busy: boolean
  readonly error: string | undefined
  readonly act: (action: () => Promise<unknown>) => void
} => {
  const [state, setState] = useState<{ busy: boolean; error: string | undefined }>({ busy: false, error: undefined })
  const busy = useRef(false)
  const act = useCallback((action: () => Promise<unknown>) => {
    if (busy.current) return
    busy.current = true
    setState({ busy: true, error: undefined })
    action().then(
      () => {
        busy.current = false
        setState({ busy: false, error: undefined })
      },
      (error) => {
        busy.current = false
        setState({ busy: false, error: error instanceof Error ? error.message : String(error) })
      }
    )
  }, [])
  return { ...state, act }
}
