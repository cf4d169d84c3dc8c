import type { Command } from "./command.ts";
import { decodeArray, decodeInteger } from "./reply.ts";

/** `TIME` → milliseconds since 1970 by the server's clock. */
export const time: Command<Record<never, never>, number> = {
  name: "time",
  encode: () => [],
  decode(reply) {
    const [seconds, microseconds] = decodeArray(reply, "TIME");
    return decodeInteger(seconds, "TIME") * 1000 + Math.floor(decodeInteger(microseconds, "TIME") / 1000);
  },
};
