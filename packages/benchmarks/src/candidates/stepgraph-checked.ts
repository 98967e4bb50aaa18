// The same workflows with fields that the schema interpreter must inspect.
process.env.CHECKED_FIELDS = "yes"

export default (await import("./stepgraph.ts")).default
