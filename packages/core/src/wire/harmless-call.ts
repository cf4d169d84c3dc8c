import type { Argument, Command } from "./command.ts";

/** Every command that is ever sent, by itself or by a script. */
export const SENT_COMMANDS = [
  "acl",
  "client",
  "command",
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
  "hset",
  "pttl",
  "set",
  "unlink",
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

// The others are refused for want of arguments, before keys or rights are looked at, or do nothing without any.
const ARGUMENTS: Partial<Readonly<Record<SentCommand, readonly Argument[]>>> = {
  command: ["COUNT"],
  info: ["server"],
};

/** Calls a command so that only one thing is learnt: whether it is offered. That it is refused for another reason says so. */
export function harmlessCall(name: SentCommand): Command<object, void> {
  return { name, encode: () => [...(ARGUMENTS[name] ?? [])], decode() {} };
}
