/**
 * Those who wait until something may have become of a run.
 */
import * as Effect from "effect/Effect"

/** Something of it has been stored, or it may have ended. Whoever waits for its end is not woken by each entry. */
export type News = "stored" | "ended"
interface Listener {
  readonly by: News
  readonly tell: () => void
}

export class Listeners {
  private readonly all = new Map<string, Set<Listener>>()

  /** Looks now, and again whenever there are news of the run, until there is something to give. */
  until<A, E>(id: string, by: News, look: Effect.Effect<A | undefined, E>): Effect.Effect<A, E> {
    // It listens before it looks: what happens in between is heard.
    const once = Effect.suspend(() => {
      const { heard, stop } = this.listen(id, by)
      const looked = Effect.flatMap(look, (found) => (found === undefined ? heard : Effect.succeed(found)))
      return Effect.ensuring(looked, Effect.sync(stop))
    })
    return Effect.flatMap(once, (found) => (found === undefined ? this.until(id, by, look) : Effect.succeed(found)))
  }

  private listen(id: string, by: News): { readonly heard: Effect.Effect<undefined>; readonly stop: () => void } {
    let told = false
    let resume: (() => void) | undefined
    const listener: Listener = {
      by,
      tell: () => {
        told = true
        resume?.()
      }
    }
    this.all.set(id, (this.all.get(id) ?? new Set()).add(listener))
    const heard = Effect.callback<undefined>((done) => {
      resume = () => done(Effect.undefined)
      if (told) resume()
    })
    return { heard, stop: () => this.unlisten(id, listener) }
  }

  private unlisten(id: string, listener: Listener): void {
    const listeners = this.all.get(id)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.all.delete(id)
  }

  tell(id: string, news: News = "ended"): void {
    // A copy: who is told looks again at once, and may listen again, which would be told again without end.
    for (const listener of [...(this.all.get(id) ?? [])]) {
      if (news === "stored" && listener.by === "ended") continue
      this.unlisten(id, listener)
      listener.tell()
    }
  }

  /** Something may have become of any of them. */
  tellAll(): void {
    for (const id of [...this.all.keys()]) this.tell(id)
  }
}
