import { seed } from "./seed.ts"

console.log(await seed())
