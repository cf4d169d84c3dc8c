import { groupKey } from "../../names/keys.ts";
import { encodeRateLimit, parseRateLimit, type RateLimit } from "../rate-limit.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface ReserveRateOptions {
  readonly stream: string;
  readonly group: string;
  /** How many messages are about to be offered; 0 only asks for the limit, and below 0 returns the time of messages that will not be. */
  readonly messages: number;
  /** The caller's own limit, which becomes the group's if it has none; `null`: it has none. */
  readonly own: RateLimit | null;
}

export interface Reservation {
  /** When these messages may be offered, in milliseconds from now. */
  readonly waitMs: number;
  /** How long they may be offered from then on, in milliseconds: later, others are given that time. */
  readonly lastsMs: number;
  /** The limit of the group; `null`: there is none. */
  readonly limit: RateLimit | null;
}

/** Reserves time within the rate of the whole group. A call whose reply was lost may be repeated: that costs the group its time. */
export const reserveRate: Script<ReserveRateOptions, Reservation> = {
  name: "reserveRate",
  keys: ({ stream, group }) => [groupKey("consumers", stream, group)],
  encode: ({ messages, own }) => [messages, own === null ? "" : encodeRateLimit(own)],
  decode(reply) {
    const [waitMs, lastsMs, limit] = decodeArray(reply, "reserveRate");
    return {
      waitMs: decodeInteger(waitMs, "reserveRate"),
      lastsMs: decodeInteger(lastsMs, "reserveRate"),
      limit: parseRateLimit(decodeText(limit, "reserveRate")),
    };
  },
};
