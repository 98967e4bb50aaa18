/**
 * The state of a run at one moment, as data, and as text if it cannot continue.
 */
import * as Duration from "effect/Duration"
import { WorkflowStalled, WorkflowTimedOut } from "../../../Errors.ts"
import type { RunStatus } from "../../../RunStatus.ts"
import { listed, waitingInWords } from "../../../Waiting.ts"
import { type CompiledGraph, intakeText, type Node, quoted } from "../../graph/graph.ts"
import { canStop } from "../../graph/reach.ts"
import type { Questions } from "../call/questions.ts"
import type { Lane } from "../flow/lane.ts"
import type { Intakes } from "../intake/intakes.ts"

export class Status {
  private readonly graph: CompiledGraph
  private readonly lanes: ReadonlyArray<Lane>
  private readonly intakes: Intakes
  private readonly questions: Questions | undefined

  constructor(graph: CompiledGraph, lanes: ReadonlyArray<Lane>, intakes: Intakes, questions: Questions | undefined) {
    this.graph = graph
    this.lanes = lanes
    this.intakes = intakes
    this.questions = questions
  }

  status(state: RunStatus["state"], inputs: RunStatus["inputs"]): RunStatus {
    // Queued deliveries are dropped when a run ends.
    const steps = this.lanes.map(({ node, waiting, busy, limited }) => {
      const step = { queued: state === "running" ? waiting : 0, running: busy }
      return [node.name, limited?.size ? { ...step, limited: Object.fromEntries(limited) } : step]
    })
    return {
      state,
      inputs,
      steps: Object.fromEntries(steps),
      waiting: state === "ended" ? this.intakes.holding() : this.intakes.waiting(),
      questions: this.questions?.waiting ?? []
    }
  }

  /** Reports that a run stopped with leftover events; `undefined` if there are none. */
  leftOver(stop: string): string | undefined {
    const held = this.intakes.holding().map(waitingInWords)
    const answers = (this.questions?.left ?? []).map(({ tag }) => `no question was asked for one ${tag}`)
    const all = [...held, ...answers]
    if (all.length === 0) return undefined
    return `workflow '${this.graph.name}' stopped with '${stop}', and events were left over:${listed(all, (line) => line)}`
  }

  /** Nothing more can happen. `sendable`: whether events could be sent to the run. */
  stalled(sendable: boolean): WorkflowStalled {
    const { name, stops, inputs } = this.graph
    const unsent = sendable ? [] : [...inputs.keys()]
    const silent = this.lanes.filter((lane) => lane.silent > 0).map(({ node }) => node.name)
    return new WorkflowStalled({
      workflow: name,
      stops,
      unsent,
      silent,
      unanswered: this.questions?.lost ?? [],
      ...this.intakes.stalled()
    })
  }

  timedOut(after: Duration.Duration): WorkflowTimedOut {
    const { name, stops, inputs } = this.graph
    const counts = (of: (lane: Lane) => number) =>
      Object.fromEntries(this.lanes.filter((lane) => of(lane) > 0).map((lane) => [lane.node.name, of(lane)]))
    const waiting = this.intakes.waiting()
    const holds = waiting.some(({ has }) => Object.keys(has).length > 0)
    const active = this.lanes.filter(({ busy, waiting }) => busy + waiting > 0).map(({ node }) => node)
    return new WorkflowTimedOut({
      workflow: name,
      // Events of an intake, or an input, may still lead to one.
      unreachable: active.length > 0 && !holds && inputs.size === 0 && !canStop(active) ? stops : [],
      after: Duration.format(after),
      running: counts(({ busy }) => busy),
      queued: counts(({ waiting }) => waiting),
      waiting,
      questions: this.questions?.waiting ?? []
    })
  }

  /** Reports a step that waits only for the end of the inputs, in case closing them was forgotten. */
  waitsForInputs({ name, intake }: Node): string {
    const inputs = quoted([...this.graph.inputs.keys()])
    return (
      `workflow '${this.graph.name}': step '${name}' waits for ${intakeText(intake!)}, which runs when nothing more ` +
      `can come, and events can still come from the inputs ${inputs}: call closeInputs when there are no more`
    )
  }
}
