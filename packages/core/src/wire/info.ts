import type { Command } from "./command.ts";
import { decodeText } from "./reply.ts";

/** `INFO` → its fields, from the default sections. */
export const info: Command<object, ReadonlyMap<string, string>> = {
  name: "info",
  encode: () => [],
  decode(reply) {
    const fields = new Map<string, string>();
    for (const line of decodeText(reply, "INFO").split(/\r?\n/)) {
      const colon = line.indexOf(":");
      if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
    }
    return fields;
  },
};
