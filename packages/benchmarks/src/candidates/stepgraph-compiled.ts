// The application must enable Effect's compiled validators before it makes a schema.
import "effect/schema/SchemaJITCompiler/enable"

export { default } from "./stepgraph-checked.ts"
