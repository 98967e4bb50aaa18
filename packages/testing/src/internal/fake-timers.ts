/**
 * JavaScript's own timers and clocks (`setTimeout`, `Date`, …), driven by the clock of a run.
 *
 * They are replaced during an exploration, and behave as usual unless called from a run.
 */
import * as Fiber from "effect/Fiber"
import type { ControlledClock } from "./clock.ts"
import { invocationOf } from "./names.ts"

type Callback = (...args: ReadonlyArray<any>) => void
type Real = Record<string, any>

/** The clock of the current run, if any. */
let clock: ControlledClock | undefined

const builtin = <A extends object = Real>(name: string): A | undefined =>
  globalThis.process?.getBuiltinModule?.(name) as A | undefined

/** Tracks which invocation set a timer, across its promises. */
let owner: { run<A>(store: string, run: () => A): A; getStore(): string | undefined } | undefined
const ownerOf = () => {
  const hooks = builtin<{ readonly AsyncLocalStorage: new () => NonNullable<typeof owner> }>("node:async_hooks")
  if (hooks !== undefined) owner ??= new hooks.AsyncLocalStorage()
  return owner
}

/** Calls a step; timers that it sets belong to it. */
export const owned = <A>(invocation: string | undefined, run: () => A): A =>
  owner === undefined || invocation === undefined ? run() : owner.run(invocation, run)

let lastId = 0
const timers = new Map<number, Timer>()

/** The result of `setTimeout`. */
class Timer {
  readonly id = ++lastId
  private readonly start: () => () => void
  private stop: () => void

  constructor(millis: number, repeated: boolean, run: () => void) {
    const invocation = owner?.getStore() ?? invocationOf(Fiber.getCurrent())
    const within = clock!
    this.start = () =>
      within.add(millis, { invocation }, () => {
        if (repeated) this.stop = this.start()
        else timers.delete(this.id)
        try {
          owned(invocation, run)
        } catch (error) {
          within.uncaught ??= { error, invocation }
        }
      })
    this.stop = this.start()
    timers.set(this.id, this)
  }

  close(): this {
    this.stop()
    timers.delete(this.id)
    return this
  }
  refresh(): this {
    this.stop()
    this.stop = this.start()
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
  [Symbol.toPrimitive](): number {
    return this.id
  }
  [Symbol.dispose](): void {
    this.close()
  }
}

/** At least 1 millisecond, as in Node and browsers. */
const millisOf = (millis: unknown): number => Math.max(1, Math.trunc(Number(millis)) || 1)

const setter =
  (real: any, repeated: boolean) =>
  (run: Callback, millis?: unknown, ...args: ReadonlyArray<unknown>): unknown =>
    clock === undefined ? real(run, millis, ...args) : new Timer(millisOf(millis), repeated, () => run(...args))

const immediate =
  (real: any) =>
  (run: Callback, ...args: ReadonlyArray<unknown>): unknown =>
    clock === undefined ? real(run, ...args) : new Timer(0, false, () => run(...args))

const clearer = (real: any) => (timer: unknown) => {
  const own = timer instanceof Timer ? timer : timers.get(Number(timer))
  if (own === undefined) real(timer)
  else own.close()
}

/** The rejection of an aborted timer, as in Node. */
const abortError = (signal: AbortSignal | undefined): Error => {
  const error = new Error("The operation was aborted", { cause: signal?.reason })
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" })
}

/** `setTimeout` and `setImmediate` of `node:timers/promises`. */
const promised = (real: any, waits: boolean) => {
  const sleep = (millis: number, value: unknown, signal: AbortSignal | undefined) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        timer.close()
        reject(abortError(signal))
      }
      const timer = new Timer(millis, false, () => {
        signal?.removeEventListener("abort", abort)
        resolve(value)
      })
      if (signal?.aborted === true) abort()
      else signal?.addEventListener("abort", abort, { once: true })
    })
  return (...args: ReadonlyArray<any>) => {
    if (clock === undefined) return real(...args)
    const [value, options] = waits ? args.slice(1) : args
    return sleep(waits ? millisOf(args[0]) : 0, value, options?.signal)
  }
}

/** `scheduler.wait` of `node:timers/promises`, which resolves to undefined. */
const promisedWait = (real: any) => {
  const wait = promised(real, true)
  return (millis?: unknown, options?: unknown) =>
    clock === undefined ? real(millis, options) : wait(millis, undefined, options)
}

/** `setInterval` of `node:timers/promises`: ticks that were not pulled are yielded at once. */
const ticking =
  (real: any) =>
  (millis?: unknown, value?: unknown, options?: { readonly signal?: AbortSignal }): AsyncIterable<unknown> =>
    clock === undefined ? real(millis, value, options) : ticks(millisOf(millis), value, options?.signal)

async function* ticks(millis: number, value: unknown, signal: AbortSignal | undefined): AsyncGenerator<unknown> {
  let ticked = 0
  let wake = () => {}
  const timer = new Timer(millis, true, () => {
    ticked++
    wake()
  })
  const abort = () => wake()
  signal?.addEventListener("abort", abort, { once: true })
  try {
    for (;;) {
      if (signal?.aborted === true) throw abortError(signal)
      if (ticked === 0) await new Promise<void>((resolve) => (wake = resolve))
      for (; ticked > 0; ticked--) yield value
    }
  } finally {
    timer.close()
    signal?.removeEventListener("abort", abort)
  }
}

const aDate = (real: DateConstructor): DateConstructor =>
  new Proxy(real, {
    construct: (target, args, self) =>
      Reflect.construct(
        target,
        args.length === 0 && clock !== undefined ? [clock.currentTimeMillisUnsafe()] : args,
        self
      ),
    apply: (target, self, args) => (clock === undefined ? Reflect.apply(target, self, args) : String(new Date())),
    get: (target, name) =>
      name === "now" && clock !== undefined ? () => clock!.currentTimeMillisUnsafe() : Reflect.get(target, name)
  })

const abortAfter = (real: typeof AbortSignal.timeout) => (millis: number) => {
  if (clock === undefined) return real.call(AbortSignal, millis)
  const controller = new AbortController()
  const reason = () => new DOMException("The operation was aborted due to timeout", "TimeoutError")
  new Timer(millisOf(millis), false, () => controller.abort(reason()))
  return controller.signal
}

/** Replaces a function if it exists. */
const replace = (
  where: Real | undefined,
  name: string,
  make: (real: any) => unknown,
  undo: Array<() => void>
): void => {
  const real = where?.[name]
  if (where === undefined || real === undefined) return
  const own = make(real) as object
  const promise = Symbol.for("nodejs.util.promisify.custom")
  if (real[promise] !== undefined) Object.assign(own, { [promise]: promised(real[promise], name === "setTimeout") })
  const isOwn = Object.hasOwn(where, name)
  where[name] = own
  undo.push(() => {
    if (isOwn) where[name] = real
    else delete where[name]
  })
}

const install = (): (() => void) => {
  ownerOf()
  const undo: Array<() => void> = []
  for (const where of [globalThis as Real, builtin("node:timers")]) {
    replace(where, "setTimeout", (real) => setter(real, false), undo)
    replace(where, "setInterval", (real) => setter(real, true), undo)
    replace(where, "setImmediate", immediate, undo)
    for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) replace(where, name, clearer, undo)
  }
  replace(globalThis, "Date", aDate, undo)
  replace(
    globalThis.performance,
    "now",
    (real) => () => clock?.currentTimeMillisUnsafe() ?? real.call(performance),
    undo
  )
  replace(AbortSignal, "timeout", abortAfter, undo)
  const promises = builtin("node:timers/promises")
  replace(promises, "setTimeout", (real) => promised(real, true), undo)
  replace(promises, "setImmediate", (real) => promised(real, false), undo)
  replace(promises, "setInterval", ticking, undo)
  const { scheduler } = promises ?? {}
  replace(scheduler, "wait", (real) => promisedWait(real.bind(scheduler)), undo)
  replace(scheduler, "yield", (real) => promised(real.bind(scheduler), false), undo)
  const sync = () => builtin<{ syncBuiltinESMExports(): void }>("node:module")?.syncBuiltinESMExports()
  sync()
  return () => {
    for (const one of undo.reverse()) one()
    sync()
  }
}

/** One exploration at a time, since there is only one global `setTimeout`. */
let queue: Promise<unknown> = Promise.resolve()

export const withVirtualTimers = <A>(explore: () => Promise<A>): Promise<A> => {
  const exploring = queue.then(async () => {
    const uninstall = install()
    try {
      return await explore()
    } finally {
      lead(undefined)
      uninstall()
    }
  })
  queue = exploring.catch(() => {})
  return exploring
}

/** Makes the timers follow this clock, or none. */
export const lead = (by: ControlledClock | undefined): void => {
  if (by !== undefined && by !== clock) timers.clear()
  clock = by
}
