import { ReplyShapeError } from "../../errors/errors.ts";
import type { WorkCounters } from "../../groups/work-counters.ts";
import { groupKey } from "../../names/keys.ts";
import { type GroupPause, parseGroupPause } from "../group-pause.ts";
import { parseRateLimit, type RateLimit } from "../rate-limit.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

/** What a consumer reports in every heartbeat, beyond what the registry itself needs. Plain JSON. */
export type HeartbeatDetails = Readonly<Record<string, HeartbeatDetail | WorkCounters>>;

type HeartbeatDetail = string | number | boolean | null | readonly number[];

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
  /**
   * Which others may be in the group beside this consumer: nobody, or those that say the same about the order of messages. It is
   * refused while another one is alive, and refuses others. Default: all that allow it.
   */
  readonly beside?: "nobody" | "ordered" | "unordered" | undefined;
  readonly details: HeartbeatDetails;
}

export interface HeartbeatJoin {
  /** Maximum age of a fresh heartbeat, in milliseconds. One from the future, because the clock has jumped, is fresh as well. */
  readonly freshMs: number;
  /** The heartbeat time of another incarnation, if the caller has observed that it stopped: then it is not fresh, whatever its time. */
  readonly seenAtMs?: number | null | undefined;
  /** The same for other consumers of the group, by name. */
  readonly othersSeenAtMs?: ReadonlyMap<string, number> | undefined;
}

/** A consumer that is alive. */
export interface LivingConsumer {
  readonly consumer: string;
  /** When its last heartbeat was, by the server's clock. */
  readonly atMs: number;
  readonly leaseMs: number;
}

export type HeartbeatResult =
  | {
      readonly kind: "ok";
      readonly serverTimeMs: number;
      readonly pause: GroupPause | null;
      /** The rate of the whole group; `null`: there is none. */
      readonly rateLimit: RateLimit | null;
    }
  /** Another incarnation uses this name; its last heartbeat was at `atMs`. Nothing was written. */
  | { readonly kind: "in-use"; readonly atMs: number }
  /** Another incarnation has taken this name; nothing was written. */
  | { readonly kind: "replaced" }
  /** Others are alive that may not be beside this consumer; nothing was written. */
  | { readonly kind: "occupied"; readonly by: readonly LivingConsumer[] };

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
  encode: ({ consumer, incarnation, leaseMs, join, beside, details }) => [
    ...[consumer, incarnation, join === undefined ? "" : "join", join?.freshMs ?? 0, join?.seenAtMs ?? ""],
    ...[encodeTold({ details, incarnation, leaseMs }), beside ?? ""],
    ...[...(join?.othersSeenAtMs ?? [])].flat(),
  ],
  decode(reply) {
    const [word, serverTimeMs, detail, rate] = decodeArray(reply, "heartbeat");
    const kind = decodeText(word, "heartbeat");
    switch (kind) {
      case "ok":
        return {
          kind,
          serverTimeMs: decodeInteger(serverTimeMs, "heartbeat"),
          pause: parseGroupPause(decodeText(detail, "heartbeat")),
          rateLimit: parseRateLimit(decodeText(rate, "heartbeat")),
        };
      case "in-use":
        return { kind, atMs: decodeInteger(detail, "heartbeat") };
      case "replaced":
        return { kind };
      case "occupied":
        return { kind, by: [...readLiving(decodeArray(detail, "heartbeat"))] };
      default:
        throw new ReplyShapeError("heartbeat: unknown answer");
    }
  },
};

/** Name, heartbeat time and lease of each, one after the other. */
function* readLiving(reply: readonly unknown[]): Generator<LivingConsumer> {
  for (let index = 0; index + 2 < reply.length; index += 3) {
    yield {
      consumer: decodeText(reply[index], "heartbeat"),
      atMs: decodeInteger(reply[index + 1], "heartbeat"),
      leaseMs: decodeInteger(reply[index + 2], "heartbeat"),
    };
  }
}
