import type { Argument, Command } from "./command.ts";

/**
 * Every command that is ever sent, with the arguments with which it does nothing: most are refused for want of arguments,
 * before keys or rights are looked at.
 */
const HARMLESS = {
  ...{ acl: [], client: [], command: ["COUNT"], info: ["server"], scan: [], time: [] },
  ...{ eval: [], evalsha: [], script: [] },
  ...{ del: [], get: [], hdel: [], hget: [], hgetall: [], hset: [], pttl: [], set: [], unlink: [] },
  ...{ xack: [], xackdel: [], xadd: [], xclaim: [], xdel: [], xgroup: [], xinfo: [], xlen: [], xpending: [] },
  ...{ xrange: [], xreadgroup: [], xrevrange: [], xtrim: [] },
  ...{ zadd: [], zcount: [], zmscore: [], zrange: [], zrem: [], zremrangebyscore: [] },
} as const satisfies Readonly<Record<string, readonly Argument[]>>;

/** A command that is ever sent, in lower case. */
export type SentCommand = keyof typeof HARMLESS;

export const SENT_COMMANDS = Object.keys(HARMLESS) as readonly SentCommand[];

/** Calls a command so that only one thing is learnt: whether it is offered. That it is refused for another reason says so. */
export function harmlessCall(name: SentCommand): Command<object, void> {
  return { name, encode: () => [...HARMLESS[name]], decode() {} };
}
