// The tests of the core that do not hold in durable mode, and why.
import { type Differing, listing } from "../differing.ts"

const reasons = {
  /** What a step emits, sends or yields takes effect when its call ends: no back-pressure, and an endless one never emits. */
  atEnd: "what a step emits is delivered when its call has ended",
  /** A call that has read a cell, or collected, is made again if another has changed that meanwhile. */
  again: "a call that reads state may be made again",
  /** A call's end enters only when the run is at rest: by then, all that is ready has begun. */
  atRest: "what happens to a run enters when the run is at rest",
  /** The doors of durable mode listen to signals themselves, and take a message when it enters and not when it is sent. */
  door: "signals and messages go through the journal and not through the door that the test looks at",
  /**
   * The id of a run is its host's. In these tests alone, a nested run is a durable run of its own, with a driver and its fibers on
   * the stack: thousands of them overflow it, which Node does not survive between two async contexts.
   */
  host: "it asks who the host is",
  /** They throw in the functions that count what is under way, for which a host then waits. */
  planted: "it plants mistakes where the core tells its host what to wait for",
  /** Until the answer is stored, the call does not know it, and a question that it then drops may take another. */
  stored: "a call goes on with an answer when that is stored",
  /** Each call costs a journal entry and a fiber. */
  cost: "it bounds what a run without a host costs"
} as const

const { list, untried } = listing(reasons)

export const differing: ReadonlyArray<Differing> = [
  ...list("atEnd", {
    "back-pressure": [
      "a generator is pulled only while its slow consumer's lane has room, and its events arrive in order",
      "a step with a buffer leaves events that do not fit with their producer",
      "a step with a buffer of "
    ],
    failure: ["when a stop and a failure come in the same turn and one step does both"],
    "intakes/within": [
      "within runs a collect at the deadline with fewer events",
      "within counts from the first event, not from the last",
      "within starts again with the first event after the deadline",
      "within counts from the arrival of the surplus",
      "within has a deadline for each key",
      "within gives a step that is retried the same events again",
      "a last event at the very instant of the deadline makes one run for each of several keys"
    ],
    "intakes/race": [
      "race interrupts the step that sent the winner, if that is still at work an Effect",
      "race interrupts the step that sent the winner, if that is still at work a promise behind",
      "race interrupts the step that sent the winner, if that is still at work an async function"
    ],
    "live/as-step": [
      "a workflow as a step emits the listed outputs as the inner run does",
      "a workflow as a step holds back an endless inner generator like its own",
      "a workflow as a step emits streamed outputs at once, in each attempt"
    ],
    "live/iterating": [
      "an iterator of events does what an async generator does",
      "an iterator of events delivers a value that arrives as it is closed"
    ],
    "live/listening": [
      "events arrive as they happen, not when the run is over",
      "events of a failed run fail each reader with the typed error, after all that came before"
    ],
    "live/stream": [
      "a run as a stream fails with the error of its run, after the earlier events",
      "the capacity of a run as a stream is the maximum number of outputs that wait for their reader: "
    ],
    "re-entrancy": ["ctx.send inside a step never calls another step before this Effect gives way"],
    returns: ["the result of a step has been delivered up to there where "],
    send: ["ctx.send may be called while the step is running, and takes effect at once"],
    stall: ["a run is not stalled while a step sends from a callback later"],
    stop: [
      "the first stop event may be sent by a callback in an Effect",
      "the first stop event interrupts the step that sent it, if that is still running",
      "a generator that yields the stop event is closed at that yield"
    ]
  }),
  ...untried("atEnd", {
    "intakes/race": [
      "race interrupts the step that sent the winner, if that is still at work an endless",
      "race closes the generator that still feeds it"
    ],
    "live/stream": ["a run as a stream emits each output at once", "a run as a stream interrupts its run when "],
    stop: ["a step that is running when the stop comes is closed before the result: "]
  }),
  ...untried("stored", { asking: ["several questions of one step may be raced: what is not waited for any more"] }),
  ...untried("atEnd", { synchronous: ["long synchronous work of an endless generator "] }),
  ...list("again", {
    "collect-by-hand": [
      "ctx.collect gives events of one type in the order received",
      "ctx.collect gives undefined until all have come",
      "ctx.collect counts an event once, however often its step is retried"
    ]
  }),
  ...list("atRest", {
    failure: ["a failure drops queued events"],
    stop: ["the first stop event drops queued events"]
  }),
  ...list("door", {
    "live/at-the-edges": ["a run that ends in any way, whenever it is interrupted"],
    "live/from-an-observer": [
      "an observer that uses the handle of its own run at any entry of ",
      "an observer that uses the handle of its own run sends an event too late for the run"
    ],
    "live/shared-signal": [
      "a signal shared by many runs has one listener",
      "a signal shared by many runs keeps its listener until the last",
      "a signal shared by many runs skips runs that another's interruption has ended"
    ]
  }),
  ...list("host", {
    errors: ["an error of a nested run names the innermost of many"],
    failure: ["the logs of a step carry workflow, step and run where `AnnotateLogs` is set"]
  }),
  ...untried("cost", {
    "intakes/cost": ["the cost of "],
    "intakes/keys": ["by forgets each key when it is complete: the heap stays flat"],
    "intakes/scopes": ["gather per holds ten thousand scopes at once"],
    "intakes/race": ["scopes nested 20,000 deep "],
    limits: ["a limit forgets the keys that are idle"],
    "back-pressure": ["two generators that fill each other's lanes "],
    synchronous: ["long synchronous work of 100,000 nested steps "],
    "live/bounds": [""],
    "live/embedding": [""]
  }),
  ...untried("planted", { faults: [""], ends: ["RunDefect names what broke outside the steps' own code"] }),
  ...untried("host", { ends: ["nested runs ", "a run that is deep in the stack of other runs "] })
]
