import { groupKey } from "../../names/keys.ts";
import { type GroupPause, parseGroupPause } from "../group-pause.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface PauseGroupOptions {
  readonly stream: string;
  readonly group: string;
  /** `null` resumes the group. */
  readonly pause: PauseOrder | null;
}

export interface PauseOrder {
  readonly by: string;
  readonly reason: string | null;
  /** How long it lasts, in milliseconds; `null`: until the group is resumed. */
  readonly forMs: number | null;
}

export interface PauseChange {
  /** The server's clock, in milliseconds since 1970. */
  readonly atMs: number;
  /** The pause before, which was replaced or ended; `null`: there was none. */
  readonly before: GroupPause | null;
  readonly now: GroupPause | null;
}

/** Pauses a group for all of its consumers, or resumes it. May be sent again after a lost reply. */
export const pauseGroup: Script<PauseGroupOptions, PauseChange> = {
  name: "pauseGroup",
  keys: ({ stream, group }) => [groupKey("consumers", stream, group)],
  encode: ({ pause }) =>
    pause === null ? ["", ""] : [JSON.stringify({ v: 1, by: pause.by, reason: pause.reason }), pause.forMs ?? ""],
  decode(reply) {
    const [atMs, before, now] = decodeArray(reply, "pauseGroup");
    return {
      atMs: decodeInteger(atMs, "pauseGroup"),
      before: parseGroupPause(decodeText(before, "pauseGroup")),
      now: parseGroupPause(decodeText(now, "pauseGroup")),
    };
  },
};
