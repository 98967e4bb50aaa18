/**
 * All errors that users see, with their messages: what happened, where, with which values, what to do.
 */
export { InvalidEvent, InvalidState, InvalidWorkflow, RunEnded } from "./Refusals.ts"
export { RunDefect, WorkflowStalled, WorkflowTimedOut } from "./RunErrors.ts"
export {
  FinalizerFailed,
  InvalidEmission,
  NoAnswer,
  OutsideScope,
  StepDefect,
  StepEnded,
  StepRejected,
  StepTimedOut
} from "./StepErrors.ts"
export type { OpenQuestion, Waiting } from "./Waiting.ts"
