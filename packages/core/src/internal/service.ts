/**
 * What every service is made of: lifecycle, clock and chance, loops, observer and warnings.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export { type BackoffPolicy, backoffDelayMs } from "../decisions/backoff.ts";
export { CallScope } from "../service/call-scope.ts";
export { type Clock, pause, systemClock } from "../service/clock.ts";
export { guardInstrumentation } from "../service/guard-instrumentation.ts";
export { INSPECT, type InspectContext, showAs } from "../service/inspected.ts";
export { instanceName } from "../service/instance-name.ts";
export { Lifecycle } from "../service/lifecycle.ts";
export { Loop } from "../service/loop.ts";
export { callSafely, createNotifier, createSafeCaller } from "../service/observer.ts";
export { PriorityQueue } from "../service/priority-queue.ts";
export { type Random, systemRandom } from "../service/random.ts";
export { repeatPasses } from "../service/repeat-passes.ts";
export { onAbort } from "../service/signals.ts";
export { describeConnectionEvent, nameService, Warnings, warningObserver } from "../service/warnings.ts";
export { VERSION } from "../version.generated.ts";
