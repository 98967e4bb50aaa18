/**
 * The ids of durable runs that the server starts. A store keeps no users, so the id says whose the run is: only the server
 * makes such ids, and nobody can choose one.
 */
const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")

const encoder = new TextEncoder()

/** A run that repeats one that repeats one, and so on, has a long id. From here on, it does not say what it repeats. */
const longest = 250

/** With a key, the same run for the same user, workflow and key. It says which run it repeats, too. */
export const idOf = async (
  user: string,
  workflow: string,
  key: string | undefined,
  rerunOf: string | undefined
): Promise<string> => {
  const name = key === undefined ? crypto.getRandomValues(new Uint8Array(32)) : undefined
  const hash = name ?? encoder.encode(JSON.stringify([user, workflow, key]))
  const end = new Uint8Array(await crypto.subtle.digest("SHA-256", hash)).slice(0, 16)
  const id = `${base64url(encoder.encode(user))}.${base64url(end)}`
  const whole = `${id}~${rerunOf}`
  return rerunOf === undefined || whole.length > longest ? id : whole
}

const parts = /^([\w-]*)\.[\w-]{22}(?:~(.+))?$/s

/** The run that it repeats, if the server has started it for that. */
export const repeatedBy = (id: string): string | null => parts.exec(id)?.[2] ?? null

/** Who started a run; "" if the server did not. */
export const userOf = (id: string): string => {
  const [, user] = parts.exec(id) ?? []
  if (user === undefined) return ""
  try {
    const bytes = atob(user.replaceAll("-", "+").replaceAll("_", "/"))
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)))
  } catch {
    return ""
  }
}
