import { ReplyShapeError } from "../../errors.ts";
import { groupKey } from "../../keys.ts";
import type { WorkCounters } from "../../work-counters.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

/** What a consumer tells about itself in every beat, beside what the registry itself needs. Plain JSON. */
export type BeatDetails = Readonly<Record<string, BeatDetail | WorkCounters>>;

type BeatDetail = string | number | boolean | null;

export interface BeatOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Tells one process behind a name from the next. */
  readonly incarnation: string;
  /** How long this consumer's messages are its own after a delivery or renewal, in milliseconds. */
  readonly leaseMs: number;
  /** `join` for the first beat of an incarnation: refused while another incarnation's last beat is fresh. */
  readonly join?: BeatJoin | undefined;
  readonly details: BeatDetails;
}

export interface BeatJoin {
  /** Up to which age a beat is fresh, in milliseconds. One from the future, where the clock has jumped, is fresh as well. */
  readonly freshMs: number;
  /** The time of another incarnation's beat that the caller has watched stand still: that one is not fresh, whatever its date. */
  readonly seenAtMs?: number | null | undefined;
}

export type Beat =
  | { readonly kind: "ok"; readonly serverTimeMs: number }
  /** Another incarnation beats under this name, `atMs` for the last time; nothing was written. */
  | { readonly kind: "in-use"; readonly atMs: number }
  /** Another incarnation has taken this name; nothing was written. */
  | { readonly kind: "replaced" };

/** A registry field as the scripts take it. Its own fields come last, so that no detail overrules them; `at` is theirs to write. */
export function encodeTold({
  details,
  incarnation,
  leaseMs,
}: Pick<BeatOptions, "details" | "incarnation" | "leaseMs">): string {
  return JSON.stringify({ ...details, at: undefined, v: 1, incarnation, leaseMs });
}

/** Writes a heartbeat, stamped with the server's time, into the group's registry. */
export const beat: Script<BeatOptions, Beat> = {
  name: "beat",
  keys: ({ stream, group }) => [groupKey("consumers", stream, group)],
  encode: ({ consumer, incarnation, leaseMs, join, details }) => [
    ...[consumer, incarnation, join === undefined ? "" : "join", join?.freshMs ?? 0, join?.seenAtMs ?? ""],
    encodeTold({ details, incarnation, leaseMs }),
  ],
  decode(reply) {
    const [word, serverTimeMs, detail] = decodeArray(reply, "beat");
    const kind = decodeText(word, "beat");
    switch (kind) {
      case "ok":
        return { kind, serverTimeMs: decodeInteger(serverTimeMs, "beat") };
      case "in-use":
        return { kind, atMs: decodeInteger(detail, "beat") };
      case "replaced":
        return { kind };
      default:
        throw new ReplyShapeError("beat: unknown answer");
    }
  },
};
