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
    { purpose: "waiting for replicas", keys: [], rules: ["+wait"] },
  ],
  consumer: [
    {
      purpose: "consuming from an existing group",
      keys: ["stream", "ours"],
      rules: [
        ...["+xreadgroup", "+xack", "+xpending", "+xclaim", "+xrange", "+xadd", "+time"],
        ...["+hget", "+hset", "+hdel", "+hgetall", "+set", "+eval", "+evalsha"],
      ],
    },
    {
      purpose: "creating the stream and the group, and removing unused names",
      keys: [],
      rules: ["+xgroup|create", "+xgroup|createconsumer", "+xgroup|delconsumer"],
    },
    {
      purpose: "detecting the server's features, and stopping quickly",
      keys: [],
      rules: ["+info", "+command|info", "+client|id", "+client|unblock", "+client|setname"],
    },
    {
      purpose: "delays and hang counts that outlive the process",
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
      purpose: "reading",
      keys: ["stream", "ours"],
      rules: ["+time", "+xinfo", "+xpending", "+xrange", "+xlen", "+hgetall"],
    },
    { purpose: "electing a leader", keys: [], rules: ["+eval", "+evalsha", "+get", "+set", "+del", "+pttl"] },
    {
      purpose: "cleaning up",
      keys: [],
      rules: ["+eval", "+evalsha", "+hget", "+hdel", "+xclaim", "+xgroup|delconsumer"],
    },
    { purpose: "trimming", keys: [], rules: ["+eval", "+evalsha", "+xtrim"] },
    { purpose: "reading when deferred messages are due", keys: [], rules: ["+eval", "+evalsha", "+zrange"] },
  ],
  scaler: [
    {
      purpose: "reading",
      keys: ["stream", "ours"],
      rules: ["+time", "+xinfo", "+xpending", "+xrange", "+xlen", "+hgetall"],
    },
    {
      purpose: "electing a leader, saving the state, and the audit log",
      keys: [],
      rules: ["+eval", "+evalsha", "+get", "+set", "+del", "+pttl", "+hget", "+hset", "+xadd"],
    },
    { purpose: "counting deferred messages that are due", keys: [], rules: ["+zcount"] },
  ],
  deadLetters: [
    { purpose: "reading", keys: ["letters"], rules: ["+xrange", "+xlen", "+xinfo|stream"] },
    { purpose: "discarding", keys: [], rules: ["+xdel"] },
    { purpose: "redriving", keys: ["stream"], rules: ["+eval", "+evalsha", "+xpending", "+xclaim", "+xinfo|groups"] },
    { purpose: "adding again", keys: [], rules: ["+xadd"] },
  ],
  groups: [
    {
      purpose: "reading",
      keys: ["stream", "ours"],
      rules: ["+time", "+xinfo", "+xpending", "+xrange", "+xlen", "+hgetall"],
    },
    { purpose: "creating and moving groups", keys: [], rules: ["+xgroup|create", "+xgroup|setid"] },
    { purpose: "deleting groups and their bookkeeping", keys: [], rules: ["+xgroup|destroy", "+unlink"] },
    {
      purpose: "handing messages over from one consumer to another",
      keys: [],
      rules: ["+eval", "+evalsha", "+hget", "+xclaim"],
    },
    { purpose: "reading when deferred messages are due", keys: [], rules: ["+zmscore"] },
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
