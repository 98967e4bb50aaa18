import { seed } from "../seed.ts"

seed().then((result) => postMessage(result))
