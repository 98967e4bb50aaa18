// A small client for the tests, which sends what it is told and nothing else.
export interface Client {
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>
  readonly post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  readonly delete: (path: string) => Promise<Answer>
  readonly text: (path: string, headers?: Record<string, string>) => Promise<{ status: number; text: string }>
  readonly lines: (path: string) => Promise<ReadonlyArray<any>>
  readonly open: (path: string) => Promise<Open>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly url: string
  readonly json: any
}

export interface Open {
  /** Reads until some text has come. */
  readonly until: (text: string) => Promise<string>
  /** Reads to the end. */
  readonly end: () => Promise<string>
  readonly cancel: () => Promise<void>
}

export const clientOf = (url: string, token?: string): Client => {
  const auth: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const send = (path: string, init: RequestInit & { headers?: Record<string, string> }) =>
    fetch(path.startsWith("http") ? path : `${url}${path}`, { ...init, headers: { ...auth, ...init.headers } })
  const answer = async (response: Response): Promise<Answer> => {
    const text = await response.text()
    const json = text === "" ? undefined : JSON.parse(text)
    return { status: response.status, headers: response.headers, url: response.url, json }
  }
  return {
    get: async (path, headers = {}) => answer(await send(path, { headers })),
    post: async (path, body = {}, headers = {}) =>
      answer(
        await send(path, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body)
        })
      ),
    delete: async (path) => answer(await send(path, { method: "DELETE" })),
    text: async (path, headers = {}) => {
      const response = await send(path, { headers })
      return { status: response.status, text: await response.text() }
    },
    lines: async (path) => {
      const response = await send(path, { headers: { accept: "application/x-ndjson" } })
      const text = await response.text()
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
    },
    open: async (path) => {
      const response = await send(path, {})
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ""
      const more = async () => {
        const { done, value } = await reader.read()
        text += value ?? ""
        return !done
      }
      return {
        until: async (wanted) => {
          while (!text.includes(wanted) && (await more())) {}
          return text
        },
        end: async () => {
          while (await more()) {}
          return text
        },
        cancel: () => reader.cancel()
      }
    }
  }
}
