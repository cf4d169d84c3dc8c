import { ReplyShapeError } from "../../errors/errors.ts";
import type { WorkCounters } from "../../groups/work-counters.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

/** What a consumer reports in every heartbeat, beyond what the registry itself needs. Plain JSON. */
export type HeartbeatDetails = Readonly<Record<string, HeartbeatDetail | WorkCounters>>;

type HeartbeatDetail = string | number | boolean | null;

export interface HeartbeatOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Distinguishes successive processes with the same name. */
  readonly incarnation: string;
  /** How long messages belong to this consumer after a delivery or renewal, in milliseconds. */
  readonly leaseMs: number;
  /** `join` for the first heartbeat of an incarnation: refused while another incarnation's last heartbeat is fresh. */
  readonly join?: HeartbeatJoin | undefined;
  readonly details: HeartbeatDetails;
}

export interface HeartbeatJoin {
  /** Maximum age of a fresh heartbeat, in milliseconds. One from the future, because the clock has jumped, is fresh as well. */
  readonly freshMs: number;
  /** The heartbeat time of another incarnation, if the caller has observed that it stopped: then it is not fresh, whatever its time. */
  readonly seenAtMs?: number | null | undefined;
}

export type HeartbeatResult =
  | { readonly kind: "ok"; readonly serverTimeMs: number }
  /** Another incarnation uses this name; its last heartbeat was at `atMs`. Nothing was written. */
  | { readonly kind: "in-use"; readonly atMs: number }
  /** Another incarnation has taken this name; nothing was written. */
  | { readonly kind: "replaced" };

/** A registry field for the scripts. Its own fields come last, so that no detail overrides them; the scripts write `at`. */
export function encodeTold({
  details,
  incarnation,
  leaseMs,
}: Pick<HeartbeatOptions, "details" | "incarnation" | "leaseMs">): string {
  return JSON.stringify({ ...details, at: undefined, v: 1, incarnation, leaseMs });
}

/** Writes a heartbeat, stamped with the server's time, into the group's registry. */
export const heartbeat: Script<HeartbeatOptions, HeartbeatResult> = {
  name: "heartbeat",
  keys: ({ stream, group }) => [groupKey("consumers", stream, group)],
  encode: ({ consumer, incarnation, leaseMs, join, details }) => [
    ...[consumer, incarnation, join === undefined ? "" : "join", join?.freshMs ?? 0, join?.seenAtMs ?? ""],
    encodeTold({ details, incarnation, leaseMs }),
  ],
  decode(reply) {
    const [word, serverTimeMs, detail] = decodeArray(reply, "heartbeat");
    const kind = decodeText(word, "heartbeat");
    switch (kind) {
      case "ok":
        return { kind, serverTimeMs: decodeInteger(serverTimeMs, "heartbeat") };
      case "in-use":
        return { kind, atMs: decodeInteger(detail, "heartbeat") };
      case "replaced":
        return { kind };
      default:
        throw new ReplyShapeError("heartbeat: unknown answer");
    }
  },
};
