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
  /** `false` if a message was already added under the same key; then `id` is the id of that message. */
  readonly added: boolean;
}

/** Adds a message unless one was already added under the same idempotency key. */
export const addOnce: Script<AddOnceOptions, AddOnceResult> = {
  name: "addOnce",
  keys: (options) => [options.stream, idempotencyKey(options.stream, options.idempotencyKey)],
  encode: (options) => [options.rememberMs, ...xadd.encode(options).slice(1)],
  decode(reply) {
    const [id, added] = decodeArray(reply, "addOnce");
    return { id: decodeText(id, "addOnce"), added: decodeInteger(added, "addOnce") === 1 };
  },
};
