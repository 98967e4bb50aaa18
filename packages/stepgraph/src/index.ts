/**
 * Typed, concurrent, event-driven workflows from plain functions, running as one interruptible Effect.
 *
 * @module stepgraph
 */
export { around, type Next, type StepCall, type StepFailure, type StepNeeds, type StepResult } from "./Around.ts"
export { asStep } from "./AsStep.ts"
export { defineLimit } from "./DefineLimit.ts"
export * from "./Errors.ts"
export { defineEvent, type Event, type EventDef, type EventOf, isEventDef } from "./Event.ts"
export { collect, gather, type Intake, type IntakeOptions, isIntake, join, race, type Within } from "./Intake.ts"
export {
  type LaunchOptions,
  type LaunchPromiseOptions,
  launch,
  launchPromise,
  type Run,
  type RunHandle,
  type RunHandleOf,
  type RunOf,
  type RunStatus
} from "./Launch.ts"
export { isLimit, type Limit, type LimitOptions } from "./Limit.ts"
export { type RunPromiseOptions, run, runPromise } from "./Run.ts"
export { defineState, type RunOptions, type State, type StateValue } from "./State.ts"
export {
  type Asking,
  defineStep,
  type Emission,
  isStep,
  type Problem,
  type Returned,
  type Step,
  type StepContext
} from "./Step.ts"
export { type StreamOptions, stream } from "./Stream.ts"
export { SuppressedErrors } from "./SuppressedErrors.ts"
export { AnnotateLogs, Telemetry, type TelemetryOptions } from "./Telemetry.ts"
export { CurrentInvocation, Observer, TraceEntry } from "./Trace.ts"
export {
  type AnyWorkflow,
  type InputsOf,
  isWorkflow,
  type OutputsOf,
  type RunError,
  type RunServices,
  type StartOf,
  type StopOf,
  type Workflow,
  type WorkflowError,
  workflow
} from "./Workflow.ts"
