/** The programs to begin with. */
import ask from "./examples/ask.ts?raw"
import loop from "./examples/loop.ts?raw"
import lostUpdate from "./examples/lost-update.ts?raw"
import race from "./examples/race.ts?raw"
import seed from "./examples/seed.ts?raw"

export const examples: ReadonlyArray<{ readonly name: string; readonly source: string }> = [
  { name: "Wait for all", source: seed },
  { name: "The first wins", source: race },
  { name: "A loop", source: loop },
  { name: "Ask a person", source: ask },
  { name: "A bug to find", source: lostUpdate }
]
