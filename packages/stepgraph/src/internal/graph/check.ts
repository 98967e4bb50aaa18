/**
 * The compile-time check of a workflow's graph. `problems.ts` makes the same checks at run time, with the same
 * messages.
 */
import type { Problem, Step } from "../../Step.ts"

type AcceptedBy<S> = S extends Step<infer Accepted, any, any, any, any, any, any> ? Accepted : never
type EmittedBy<S> = S extends Step<any, infer Emitted, any, any, any, any, any> ? Emitted : never

type CheckStep<
  Name extends string,
  S,
  Known extends string,
  Taken extends string,
  Inputs extends string,
  Outputs extends string,
  Accepts extends string
> =
  S extends Step<infer Accepted, infer Emitted, any, any, infer Per, infer Asked, infer Streamed>
    ? [Exclude<Accepted, Known>] extends [never]
      ? [Exclude<Emitted, Taken>] extends [never]
        ? [Exclude<Per, Known>] extends [never]
          ? [Exclude<Asked, Inputs>] extends [never]
            ? [Streamed] extends [never]
              ? unknown
              : [Exclude<Streamed, Exclude<Outputs, Accepts>>] extends [never]
                ? unknown
                : Problem<`step '${Name}' streams '${Exclude<Streamed, Exclude<Outputs, Accepts>>}', but it is not an output event that no step accepts`>
            : Problem<`step '${Name}' asks for '${Exclude<Asked, Inputs>}', but it is not an input event`>
          : Problem<`step '${Name}' keeps one intake per '${Exclude<Per, Known>}', but no step emits it and it is neither the start nor an input event`>
        : Problem<`step '${Name}' emits '${Exclude<Emitted, Taken>}', but no step accepts it and it is neither a stop nor an output event`>
      : Problem<`step '${Name}' accepts '${Exclude<Accepted, Known>}', but no step emits it and it is neither the start nor an input event`>
    : never

// The unions are parameters; written inline, they would be rebuilt for each step.
type CheckSteps<
  S,
  Known extends string,
  Taken extends string,
  Inputs extends string,
  Outputs extends string,
  Accepts extends string
> = {
  readonly [K in keyof S]: CheckStep<K & string, S[K], Known, Taken, Inputs, Outputs, Accepts>
}

/** `unknown` if the steps fit together; otherwise a problem at the step that has it. */
export type Check<S, Start extends string, Stop extends string, Inputs extends string, Outputs extends string> = [
  Start
] extends [AcceptedBy<S[keyof S]>]
  ? [Stop] extends [EmittedBy<S[keyof S]>]
    ? CheckSteps<
        S,
        Start | Inputs | EmittedBy<S[keyof S]>,
        Stop | Outputs | AcceptedBy<S[keyof S]>,
        Inputs,
        Outputs,
        AcceptedBy<S[keyof S]>
      >
    : Problem<`no step emits the stop event '${Exclude<Stop, EmittedBy<S[keyof S]>>}'`>
  : Problem<`no step accepts the start event '${Start}'`>
