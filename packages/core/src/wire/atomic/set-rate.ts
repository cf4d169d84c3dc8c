import { groupKey } from "../../names/keys.ts";
import { encodeRateLimit, parseRateLimit, type RateLimit } from "../rate-limit.ts";
import { decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface SetRateOptions {
  readonly stream: string;
  readonly group: string;
  /** `null`: no limit, whatever the options of consumers say. */
  readonly limit: RateLimit | null;
}

/** Sets the rate of the whole group → the one before. May be sent again after a lost reply. */
export const setRate: Script<SetRateOptions, RateLimit | null> = {
  name: "setRate",
  keys: ({ stream, group }) => [groupKey("consumers", stream, group)],
  encode: ({ limit }) => [encodeRateLimit(limit)],
  decode: (reply) => parseRateLimit(decodeText(reply, "setRate")),
};
