import { describeThrown } from "../errors/thrown.ts";
import { systemClock } from "./clock.ts";
import { Warnings } from "./warnings.ts";

const warnings = new Warnings(systemClock);

/** Calls the instrumentation. It only watches, so an error that it throws is a process warning and stops nothing. */
export function guardInstrumentation<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    warnings.say("instrumentation", `the instrumentation threw: ${describeThrown(error)}`);
    return undefined;
  }
}
