import { seed } from "./seed.js"

console.log(await seed())
