import type { Argument, Command } from "./command.ts";

/** Every command that Redis Batch sends, directly or in a script. */
export const SENT_COMMANDS = [
  "acl",
  "client",
  "command",
  "config",
  "info",
  "scan",
  "time",
  "eval",
  "evalsha",
  "script",
  "del",
  "get",
  "hdel",
  "hget",
  "hgetall",
  "hmget",
  "hset",
  "pttl",
  "set",
  "unlink",
  "wait",
  "xack",
  "xackdel",
  "xadd",
  "xclaim",
  "xdel",
  "xgroup",
  "xinfo",
  "xlen",
  "xpending",
  "xrange",
  "xread",
  "xreadgroup",
  "xrevrange",
  "xtrim",
  "zadd",
  "zcount",
  "zmscore",
  "zrange",
  "zrem",
  "zremrangebyscore",
] as const;

/** In lower case. */
export type SentCommand = (typeof SENT_COMMANDS)[number];

// The others are refused because arguments are missing, before keys or rights are checked, or do nothing without any.
const ARGUMENTS: Partial<Readonly<Record<SentCommand, readonly Argument[]>>> = {
  command: ["COUNT"],
  info: ["server"],
};

/** Calls a command without an effect, only to find out whether it is offered: a refusal for another reason means yes. */
export function probeCommand(name: SentCommand): Command<object, void> {
  return { name, encode: () => [...(ARGUMENTS[name] ?? [])], decode() {} };
}
