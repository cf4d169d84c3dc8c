import type { Argument, Command } from "./command.ts";

/**
 * Commands that are done without where the server, or a proxy before it, does not offer them, and with which arguments
 * each does nothing: most are refused for want of arguments, before anything is looked at.
 */
const HARMLESS = {
  acl: [],
  client: [],
  command: ["COUNT"],
  eval: [],
  evalsha: [],
  info: ["server"],
  pttl: [],
  scan: [],
  script: [],
  time: [],
  xackdel: [],
  xinfo: [],
  zadd: [],
  zcount: [],
  zmscore: [],
  zrange: [],
  zrem: [],
  zremrangebyscore: [],
} as const satisfies Readonly<Record<string, readonly Argument[]>>;

export type OptionalCommand = keyof typeof HARMLESS;

/** Calls a command so that only one thing is learnt: whether it is offered. That it is refused for another reason says so. */
export function harmlessCall(name: OptionalCommand): Command<object, void> {
  return { name, encode: () => [...HARMLESS[name]], decode() {} };
}
