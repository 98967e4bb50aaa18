// The tests of `launch` and `launchPromise` that do not hold for a client, and why.
import { type Differing, listing } from "../differing.ts"

const reasons = {
  /** The server keeps outputs and traces within its own bounds, and a run does not end with whoever has started it. */
  options: "a client does not say how a run is kept, observed, begun or tied to a signal",
  /** What is sent is on its way for a while, even if virtual time stands still. */
  time: "what a client asks and hears takes real time",
  /** A client reads an outcome when it is asked for. */
  unread: "an outcome that nobody asks for stays on the server",
  /** An `Effect.fail("no")`: there is no tag to know it by. */
  text: "an error that is no object comes back as RunFailed, with its text",
  json: "what cannot be written as JSON cannot be sent: not the issue of a schema, and no event that throws",
  name: "a client has the name of a workflow, not the workflow",
  elsewhere: "a run on a server does not belong to the process that has started it",
  cost: "it measures the process of the run"
} as const

const { list, untried } = listing(reasons)

export const differing: ReadonlyArray<Differing> = [
  ...list("options", {
    "live/listening": [
      "the keep keeps the latest outputs",
      ...["-1", "0.5", "NaN", "all"].map((n) => `the keep of ${n} is`)
    ],
    "live/bad-input": [
      "wrong events between right ones that come too late fail, and appear in no trace",
      "invalid options are "
    ],
    "live/state": ["state set from outside sets the initial state, through every entry point"]
  }),
  ...untried("options", {
    "live/talking": ["launchPromise is interrupted by its signal"],
    "live/at-the-edges": [
      "a signal that is aborted while a run is launched by ",
      "an iteration over the events of a run that is interrupted throws the same as the result",
      "a run that ends in any way, whenever it is interrupted "
    ]
  }),
  ...untried("time", {
    "live/listening": ["events arrive as they happen", "events reach each reader at its own pace"],
    "live/iterating": ["an iterator of events delivers a value that arrives as it is closed"],
    "live/at-the-edges": [
      "an iteration over the events of a run that is interrupted ends when the scope is closed",
      "a run that is interrupted while it ends "
    ],
    "live/talking": ["the handle of a run interrupts it, and waits for its finalizers"],
    "live/unread": ["a failure is not an unhandled rejection where the events are read"]
  }),
  // A pull that is left does not wait for the network.
  ...list("time", { "live/iterating": ["an iterator of events does what an async generator does"] }),
  ...list("unread", { "live/unread": ["an unread failure is an unhandled rejection of "] }),
  ...untried("elsewhere", { "live/unread": ["an unread failure is an unhandled rejection and ends the process"] }),
  ...list("text", {
    "live/iterating": ["an iterator of events rejects one of the waiting pulls if the run fails"],
    "live/at-the-edges": ["a reader that waits receives a failure as it happens"]
  }),
  ...list("json", {
    "live/talking": ["an input event that does not fit its schema is InvalidEvent"],
    "live/bad-input": [
      "a value that cannot be read is InvalidEvent when it is sent: a tag that throws the second time",
      "a value that cannot be read is described without being read"
    ]
  }),
  ...list("name", { "live/bad-input": ["a value that is not a workflow is "] }),
  ...untried("cost", {
    "live/listening": ["the keep costs nothing when it is bounded"],
    "live/iterating": ["an iterator of events is closed by a loop that breaks"]
  })
]
