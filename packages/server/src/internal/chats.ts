/**
 * The routes of all chats of a server: one pattern for any number of workflows, whose names may be anything.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { AnyWorkflow } from "stepgraph"
import { NotFound } from "../Problems.ts"
import { accessOf, type Served } from "./access.ts"

interface Chat {
  readonly begin: (body: string, flow: AnyWorkflow) => Effect.Effect<HttpServerResponse, any>
  readonly resume: (id: string) => Effect.Effect<HttpServerResponse, any>
}

const servers = new WeakMap<Served, Map<string, Chat>>()

/** Adds the chat of a workflow. The first of a server adds the routes. */
export const chatRoutes = (
  served: Served,
  name: string,
  make: () => Effect.Effect<Chat, never, Scope.Scope>
): Layer.Layer<never, never, HttpRouter.HttpRouter> => {
  const known = servers.get(served)
  const chats = known ?? new Map<string, Chat>()
  servers.set(served, chats)
  const adding = Layer.effectDiscard(Effect.map(make(), (chat) => void chats.set(name, chat)))
  return known === undefined ? Layer.merge(adding, routes(served, chats)) : adding
}

const routes = (served: Served, chats: ReadonlyMap<string, Chat>) => {
  const access = accessOf(served)
  const chatOf = Effect.gen(function* () {
    const { id = "", workflow: name = "" } = yield* HttpRouter.params
    const flow = yield* access.workflow(name)
    const chat = chats.get(name)
    if (chat === undefined) {
      return yield* new NotFound({ detail: `workflow '${name}' has no chat: give chat(…) to protocols` })
    }
    return { chat, flow, id }
  })
  return HttpRouter.use(
    (router) =>
      Effect.gen(function* () {
        yield* router.add("POST", "/api/chats/:workflow", (request) =>
          Effect.flatMap(chatOf, ({ chat, flow }) => Effect.flatMap(request.text, (body) => chat.begin(body, flow)))
        )
        yield* router.add("GET", "/api/chats/:workflow/:id/stream", () =>
          Effect.flatMap(chatOf, ({ chat, id }) => chat.resume(id))
        )
      })
    // The errors are problems, which answer by themselves.
  ) as Layer.Layer<never, never, HttpRouter.HttpRouter>
}
