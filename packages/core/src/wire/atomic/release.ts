import type { EntryId } from "../../entry-id.ts";
import { decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";
import { inStreamOrder } from "./own-messages.ts";

export interface ReleaseOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Ids that were delivered to the consumer but never reached its code: their delivery count goes back by one. */
  readonly neverOffered: readonly EntryId[];
  readonly offered: readonly EntryId[];
  /** The idle time the messages shall show, in milliseconds: past the lease, so that any claimer may take them. */
  readonly idleMs: number;
}

/** Gives back what the consumer still owns → how many messages that were. They stay in its pending list. */
export const release: Script<ReleaseOptions, number> = {
  name: "release",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, neverOffered, offered, idleMs }) => [
    ...[group, consumer, idleMs, neverOffered.length],
    ...inStreamOrder(neverOffered),
    ...inStreamOrder(offered),
  ],
  decode: (reply) => decodeInteger(reply, "release"),
};
