import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface HoldPartitionOptions {
  /** The partition's stream. */
  readonly stream: string;
  readonly group: string;
  readonly member: string;
  /** How long the ownership lasts from now, in milliseconds; 0 gives it up. */
  readonly leaseMs: number;
  /** The token of the ownership, to go on with it; `null`: takes the partition if nobody owns it. */
  readonly token: number | null;
  /** The highest token that the member knows of, 0 for none: so a token that the server has lost is not used again. */
  readonly heardOf: number;
}

export interface Ownership {
  /** Whether the member owns the partition; not when it was given up. */
  readonly isHeld: boolean;
  /** The token of the last ownership: one's own while one has it. */
  readonly token: number;
  /** The last owner; `null`: it was given up, or there was none. */
  readonly owner: string | null;
  /** For how much longer the owner has it, in milliseconds. */
  readonly leftMs: number;
}

/** Takes a partition, renews its ownership, or gives it up. */
export const holdPartition: Script<HoldPartitionOptions, Ownership> = {
  name: "holdPartition",
  keys: ({ stream, group }) => [groupKey("owner", stream, group)],
  encode: ({ member, leaseMs, token, heardOf }) => [member, leaseMs, token ?? 0, heardOf],
  decode(reply) {
    const [isHeld, token, owner, leftMs] = decodeArray(reply, "holdPartition");
    const name = decodeText(owner, "holdPartition");
    return {
      isHeld: decodeInteger(isHeld, "holdPartition") === 1,
      token: decodeInteger(token, "holdPartition"),
      owner: name === "" ? null : name,
      leftMs: decodeInteger(leftMs, "holdPartition"),
    };
  },
};
