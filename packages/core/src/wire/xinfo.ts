import { ReplyShapeError } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { Command } from "./command.ts";
import { decodeArray, decodeInteger, decodeIntegerOrNull, decodeNamed, decodeText } from "./reply.ts";

export interface StreamInfo {
  readonly length: number;
  readonly lastGeneratedId: EntryId;
  /** How many entries were ever added. */
  readonly entriesAdded: number;
  /** The oldest entry that still exists; `null` if the stream is empty. */
  readonly firstEntryId: EntryId | null;
  /** The newest entry that still exists; `null` if the stream is empty. */
  readonly lastEntryId: EntryId | null;
  readonly groups: number;
}

// It is 0-0 for an empty stream.
const FIRST_ENTRY = "recorded-first-entry-id";
const LAST_ENTRY = "last-entry";

/** `XINFO STREAM key`. A missing stream is an error of the server. */
export const xinfoStream: Command<{ readonly stream: string }, StreamInfo> = {
  name: "xinfo",
  encode: ({ stream }) => ["STREAM", stream],
  decode(reply) {
    const named = decodeNamed(reply, "XINFO STREAM");
    const length = decodeInteger(required(named, "length"), "XINFO STREAM length");
    return {
      length,
      lastGeneratedId: decodeText(required(named, "last-generated-id"), "XINFO STREAM last-generated-id"),
      entriesAdded: decodeInteger(required(named, "entries-added"), "XINFO STREAM entries-added"),
      firstEntryId: length === 0 ? null : decodeText(required(named, FIRST_ENTRY), `XINFO STREAM ${FIRST_ENTRY}`),
      lastEntryId: length === 0 ? null : decodeText(idOf(required(named, LAST_ENTRY)), `XINFO STREAM ${LAST_ENTRY}`),
      groups: decodeInteger(required(named, "groups"), "XINFO STREAM groups"),
    };
  },
};

export interface GroupInfo {
  readonly name: string;
  readonly consumers: number;
  readonly pending: number;
  readonly lastDeliveredId: EntryId;
  /** How many entries the group has read; `null` when the server does not know. */
  readonly entriesRead: number | null;
  /** How many entries wait to be delivered; `null` when the server does not know. Never read `null` as 0. */
  readonly lag: number | null;
}

/** `XINFO GROUPS key`. A missing stream is an error of the server. */
export const xinfoGroups: Command<{ readonly stream: string }, readonly GroupInfo[]> = {
  name: "xinfo",
  encode: ({ stream }) => ["GROUPS", stream],
  decode: (reply) =>
    decodeArray(reply, "XINFO GROUPS").map((item) => {
      const named = decodeNamed(item, "XINFO GROUPS");
      return {
        name: decodeText(required(named, "name"), "XINFO GROUPS name"),
        consumers: decodeInteger(required(named, "consumers"), "XINFO GROUPS consumers"),
        pending: decodeInteger(required(named, "pending"), "XINFO GROUPS pending"),
        lastDeliveredId: decodeText(required(named, "last-delivered-id"), "XINFO GROUPS last-delivered-id"),
        entriesRead: decodeIntegerOrNull(named.get("entries-read"), "XINFO GROUPS entries-read"),
        lag: decodeIntegerOrNull(named.get("lag"), "XINFO GROUPS lag"),
      };
    }),
};

export interface ConsumerInfo {
  readonly name: string;
  readonly pending: number;
  /** Milliseconds since the last attempted read (Redis ≥ 7.2, Valkey) or the last read that returned something (7.0). */
  readonly idleMs: number;
  /** Milliseconds since the last read that returned something; `null` before the first, and on Redis 7.0. */
  readonly inactiveMs: number | null;
  /** What `idleMs` counts from: `attempt`, any read (Redis ≥ 7.2, Valkey) · `success`, one that returned something (7.0). */
  readonly idleSince: "attempt" | "success";
}

/** `XINFO CONSUMERS key group`. A missing stream or group is an error of the server. */
export const xinfoConsumers: Command<{ readonly stream: string; readonly group: string }, readonly ConsumerInfo[]> = {
  name: "xinfo",
  encode: ({ stream, group }) => ["CONSUMERS", stream, group],
  decode: (reply) =>
    decodeArray(reply, "XINFO CONSUMERS").map((item) => {
      const named = decodeNamed(item, "XINFO CONSUMERS");
      const inactiveMs = decodeIntegerOrNull(named.get("inactive"), "XINFO CONSUMERS inactive");
      return {
        name: decodeText(required(named, "name"), "XINFO CONSUMERS name"),
        pending: decodeInteger(required(named, "pending"), "XINFO CONSUMERS pending"),
        idleMs: decodeInteger(required(named, "idle"), "XINFO CONSUMERS idle"),
        inactiveMs: inactiveMs === null || inactiveMs < 0 ? null : inactiveMs,
        // Both fields appeared in the same version.
        idleSince: inactiveMs === null ? "success" : "attempt",
      };
    }),
};

const idOf = (entry: unknown): unknown => decodeArray(entry, `XINFO STREAM ${LAST_ENTRY}`)[0];

function required(named: ReadonlyMap<string, unknown>, name: string): unknown {
  const value = named.get(name);
  if (value === undefined) throw new ReplyShapeError(`XINFO: no field "${name}" in the reply`);
  return value;
}
