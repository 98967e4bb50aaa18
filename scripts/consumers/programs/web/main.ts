import { seed } from "../seed.ts"

const show = (id: string, text: string) => {
  document.getElementById(id)!.textContent = text
}
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
worker.onmessage = ({ data }) => show("worker", data)
seed().then((result) => show("page", result))
