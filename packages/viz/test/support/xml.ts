/** Whether a text is well-formed XML: every tag closed in order, every attribute quoted, no character that XML forbids. */
export const wellFormed = (text: string): boolean => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u.test(text)) return false
  const open: Array<string> = []
  let rest = text
  while (rest !== "") {
    const words = /^[^<&]+|^&(?:amp|lt|gt|quot|#39);/.exec(rest)
    const tag = /^<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*)\s*(\/?)>/.exec(
      rest
    )
    const found = words ?? tag
    if (found === null) return false
    if (tag !== null) {
      const [, closing, name, , empty] = tag
      if (closing === "/") {
        if (open.pop() !== name) return false
      } else if (empty !== "/") open.push(name!)
    }
    rest = rest.slice(found[0].length)
  }
  return open.length === 0
}
