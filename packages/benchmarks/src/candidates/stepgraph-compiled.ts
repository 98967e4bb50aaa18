// Effect's compiled validators are switched on by the application, before a schema is made.
import "effect/schema/SchemaJITCompiler/enable"

export { default } from "./stepgraph-checked.ts"
