/** A program in the fragment of an address: it stays in the browser, no server sees it. */

/** Longer programs are not shared, and what unpacks to more is not opened. */
export const longest = 100_000

const through = async (
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream
): Promise<Uint8Array<ArrayBuffer>> => {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader()
  const parts: Array<Uint8Array<ArrayBuffer>> = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    if ((length += value.length) <= longest * 4) continue
    await reader.cancel()
    throw new Error("the program is too long")
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

export const toFragment = async (source: string): Promise<string> => {
  const bytes = await through(new TextEncoder().encode(source), new CompressionStream("deflate-raw"))
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
  return `code=${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`
}

/** The program in a fragment; `undefined` if there is none, or none that can be read. */
export const fromFragment = async (fragment: string): Promise<string | undefined> => {
  const [, code] = /^#?code=([\w-]+)$/.exec(fragment) ?? []
  if (code === undefined) return undefined
  try {
    const bytes = Uint8Array.from(atob(code.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0))
    return new TextDecoder("utf-8", { fatal: true }).decode(
      await through(bytes, new DecompressionStream("deflate-raw"))
    )
  } catch {
    return undefined
  }
}
