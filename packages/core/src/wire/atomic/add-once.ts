import type { EntryId } from "../../names/entry-id.ts";
import { idempotencyKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { type XaddOptions, xadd } from "../xadd.ts";

export interface AddOnceOptions extends XaddOptions {
  readonly idempotencyKey: string;
  /** How long the key is remembered, in milliseconds. */
  readonly rememberMs: number;
}

export interface AddOnceResult {
  readonly id: EntryId;
  /** `false` when a message was added under the same key before; then `id` is that one's. */
  readonly added: boolean;
}

/** Adds a message unless one was added under the same idempotency key before. */
export const addOnce: Script<AddOnceOptions, AddOnceResult> = {
  name: "addOnce",
  keys: (options) => [options.stream, idempotencyKey(options.stream, options.idempotencyKey)],
  encode: (options) => [options.rememberMs, ...xadd.encode(options).slice(1)],
  decode(reply) {
    const [id, added] = decodeArray(reply, "addOnce");
    return { id: decodeText(id, "addOnce"), added: decodeInteger(added, "addOnce") === 1 };
  },
};
