// What both pages know of their tab: the token, from the URL that the server printed, and the chat.
const { hash, origin } = location
const given = new URLSearchParams(hash.slice(1))

const token = given.get("token") ?? sessionStorage.getItem("token") ?? ""
sessionStorage.setItem("token", token)

/** Another tab with the same chat in its address shows the same conversation. */
export const chat = given.get("chat") ?? crypto.randomUUID()
// The token is for no history and no shared link.
history.replaceState(null, "", `#chat=${chat}`)

export { origin, token }
