/** The minimal ACL rights of each role, defined only here. The READMEs quote them, and tests compare them. */
import { hashTag } from "../names/keys.ts";

export type Role = "producer" | "consumer" | "monitor" | "scaler" | "deadLetters" | "groups";

/** Keys that a part of the work touches: the stream itself, all keys of Redis Batch beside it, or some of them. */
type KeySet = "stream" | "ours" | "idempotency" | "letters";

interface Part {
  /** The purpose, as it reads after "needed for". */
  readonly purpose: string;
  readonly keys: readonly KeySet[];
  readonly rules: readonly string[];
}

/** The first part of each role is the minimum; the others are optional. */
export const RIGHTS: Readonly<Record<Role, readonly Part[]>> = {
  producer: [
    { purpose: "adding messages", keys: ["stream"], rules: ["+xadd"] },
    { purpose: "idempotency keys", keys: ["idempotency"], rules: ["+eval", "+evalsha", "+get", "+set"] },
  ],
  consumer: [
    {
      purpose: "working in a group that exists",
      keys: ["stream", "ours"],
      rules: [
        ...["+xreadgroup", "+xack", "+xpending", "+xclaim", "+xrange", "+xadd", "+time"],
        ...["+hget", "+hset", "+hdel", "+hgetall", "+set", "+eval", "+evalsha"],
      ],
    },
    {
      purpose: "creating stream and group, and removing names that are no longer used",
      keys: [],
      rules: ["+xgroup|create", "+xgroup|createconsumer", "+xgroup|delconsumer"],
    },
    {
      purpose: "starting and stopping quickly and well informed",
      keys: [],
      rules: ["+info", "+command|info", "+client|id", "+client|unblock", "+client|setname"],
    },
    {
      purpose: "delays, and counts of what handlers hung on, that outlive the process",
      keys: [],
      rules: ["+zadd", "+zrange", "+zmscore", "+zrem", "+zremrangebyscore"],
    },
    {
      purpose: "noticing a group that is ahead of its stream",
      keys: [],
      rules: ["+xinfo|stream", "+xinfo|groups"],
    },
  ],
  monitor: [
    {
      purpose: "looking",
      keys: ["stream", "ours"],
      rules: ["+time", "+xinfo", "+xpending", "+xrange", "+xlen", "+hgetall"],
    },
    { purpose: "taking turns", keys: [], rules: ["+eval", "+evalsha", "+get", "+set", "+del", "+pttl"] },
    {
      purpose: "cleaning up",
      keys: [],
      rules: ["+eval", "+evalsha", "+hget", "+hdel", "+xclaim", "+xgroup|delconsumer"],
    },
    { purpose: "trimming", keys: [], rules: ["+eval", "+evalsha", "+xtrim"] },
    { purpose: "seeing when what was deferred is due", keys: [], rules: ["+eval", "+evalsha", "+zrange"] },
  ],
  scaler: [
    {
      purpose: "looking",
      keys: ["stream", "ours"],
      rules: ["+time", "+xinfo", "+xpending", "+xrange", "+xlen", "+hgetall"],
    },
    {
      purpose: "taking turns, remembering, and the audit log",
      keys: [],
      rules: ["+eval", "+evalsha", "+get", "+set", "+del", "+pttl", "+hget", "+hset", "+xadd"],
    },
    { purpose: "counting what was deferred and is due again", keys: [], rules: ["+zcount"] },
  ],
  deadLetters: [
    { purpose: "looking", keys: ["letters"], rules: ["+xrange", "+xlen", "+xinfo|stream"] },
    { purpose: "discarding", keys: [], rules: ["+xdel"] },
    { purpose: "redriving", keys: ["stream"], rules: ["+eval", "+evalsha", "+xpending", "+xclaim", "+xinfo|groups"] },
    { purpose: "adding anew", keys: [], rules: ["+xadd"] },
  ],
  groups: [
    {
      purpose: "looking",
      keys: ["stream", "ours"],
      rules: ["+time", "+xinfo", "+xpending", "+xrange", "+xlen", "+hgetall"],
    },
    { purpose: "creating and moving groups", keys: [], rules: ["+xgroup|create", "+xgroup|setid"] },
    { purpose: "deleting groups, and what was kept about them", keys: [], rules: ["+xgroup|destroy", "+unlink"] },
    {
      purpose: "handing messages from one consumer to another",
      keys: [],
      rules: ["+eval", "+evalsha", "+hget", "+xclaim"],
    },
    { purpose: "seeing when what was deferred is due", keys: [], rules: ["+zmscore"] },
  ],
};

/**
 * The ACL rules of a role for one stream, each an argument of ACL SETUSER: key patterns, then commands.
 *
 * @param least whether to return only the rules that the role cannot work without
 * @throws {ConfigError} when the stream's name leaves no room for keys beside it
 */
export function aclRules(role: Role, stream: string, { least }: { readonly least: boolean }): readonly string[] {
  const parts = least ? RIGHTS[role].slice(0, 1) : RIGHTS[role];
  const keys = parts.flatMap((part) => part.keys.map((set) => keyPattern(set, stream)));
  return [...new Set([...keys, ...parts.flatMap(({ rules }) => rules)])];
}

function keyPattern(set: KeySet, stream: string): string {
  if (set === "stream") return `~${escapeGlob(stream)}`;
  const ours = `~rb:{${escapeGlob(hashTag(stream))}}:`;
  switch (set) {
    case "ours":
      return `${ours}*`;
    case "idempotency":
      return `${ours}idem:*`;
    case "letters":
      return `${ours}dead:*`;
  }
}

/** Escapes the pattern characters in a name. */
const escapeGlob = (name: string): string => name.replaceAll(/[\\*?[\]]/g, "\\$&");
