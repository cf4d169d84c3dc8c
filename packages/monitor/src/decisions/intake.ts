/** What holds a consumer's intake up on purpose, as its heartbeat names it. */
import type { ConsumerStatus } from "../report.ts";

export interface HeldIntake {
  readonly status: ConsumerStatus;
  /** What it means, to follow "it lives, and". */
  readonly meaning: string;
}

const KNOWN: ReadonlyMap<string, HeldIntake> = new Map([
  ["paused", { status: "PAUSED", meaning: "is paused" }],
  ["group-paused", { status: "PAUSED", meaning: "takes nothing, because the whole group is paused" }],
  ["draining", { status: "DRAINING", meaning: "is stopping" }],
  ["backing-off", { status: "BACKING OFF", meaning: "tries one message at a time, because its batches failed whole" }],
  ["probing", { status: "BACKING OFF", meaning: "tries one message, because its batches failed whole" }],
  ["unfit", { status: "FAILING", meaning: "fails on what other consumers can do" }],
  ["held-too-long", { status: "STALLED", meaning: "takes nothing, because all its handlers hang" }],
  ["deferred", { status: "HELD UP", meaning: "takes nothing, because it has deferred as many messages as it may" }],
  ["rate-limited", { status: "HELD UP", meaning: "waits for the group's rate limit" }],
  ["server-away", { status: "HELD UP", meaning: "had lost the server when it last told" }],
  [
    "ahead-of-stream",
    { status: "HELD UP", meaning: "gets nothing, because the group's position is ahead of the stream" },
  ],
]);

/** What holds it up; `null` when nothing does, or it does not tell. A name of a later version is told as it is. */
export function describeIntake(intake: string | null): HeldIntake | null {
  if (intake === null || intake === "open") return null;
  return KNOWN.get(intake) ?? { status: "HELD UP", meaning: `takes nothing: ${intake}` };
}
