/** Reasons why a consumer takes no messages on purpose, as its heartbeat names them. */
import type { ConsumerStatus } from "../report.ts";

export interface HeldIntake {
  readonly status: ConsumerStatus;
  /** The meaning, as it reads after "it is alive, and". */
  readonly meaning: string;
}

const KNOWN: ReadonlyMap<string, HeldIntake> = new Map([
  ["paused", { status: "PAUSED", meaning: "is paused" }],
  ["group-paused", { status: "PAUSED", meaning: "takes no messages, because the whole group is paused" }],
  ["draining", { status: "DRAINING", meaning: "is stopping" }],
  ["backing-off", { status: "BACKING OFF", meaning: "tries one message at a time, because whole batches failed" }],
  ["probing", { status: "BACKING OFF", meaning: "tries one message, because whole batches failed" }],
  ["unfit", { status: "FAILING", meaning: "fails on messages that other consumers can process" }],
  ["held-too-long", { status: "STALLED", meaning: "takes no messages, because all its handlers hang" }],
  ["deferred", { status: "HELD UP", meaning: "takes no messages, because it has deferred as many as it may" }],
  [
    "key-blocked",
    { status: "HELD UP", meaning: "takes no new messages, because too many wait behind others of their key" },
  ],
  ["rate-limited", { status: "OK", meaning: "waits for its time in the group's rate limit" }],
  ["server-away", { status: "HELD UP", meaning: "had lost its connection when it last reported" }],
  [
    "ahead-of-stream",
    { status: "HELD UP", meaning: "receives no messages, because the group's position is ahead of the stream" },
  ],
]);

/** The reason why it takes no messages; `null` if it does, or does not report. An unknown name is reported unchanged. */
export function describeIntake(intake: string | null): HeldIntake | null {
  if (intake === null || intake === "open") return null;
  return KNOWN.get(intake) ?? { status: "HELD UP", meaning: `takes no messages: ${intake}` };
}
