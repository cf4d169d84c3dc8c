/**
 * The door for `@redis-batch/test-support`. It is not published, and leads to nothing of the other packages, so that a
 * script can run it as it is.
 */
export { type Deferred, deferred } from "./time/deferred.ts";
export { EventRecorder, type RecordableEvent, type WaitOptions } from "./time/event-recorder.ts";
export { afterFairMs, fairNowMs } from "./time/fair-clock.ts";
export { ManualClock } from "./time/manual-clock.ts";
