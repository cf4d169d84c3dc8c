/** Sends a command of which the bytes are there already, so that ioredis need not make them of its arguments. */
import { Cluster, Command, Redis } from "ioredis";
import type { Argument } from "../../wire/command.ts";
import type { RedisClient } from "../redis-client.ts";

/**
 * Whether that is possible: the client comes from the copy of ioredis that we import, whose commands are asked for their bytes by
 * `toWritable`. To others the arguments are sent.
 */
export function mayBeBytes(client: RedisClient, CommandClass: typeof Command = Command): boolean {
  if (typeof Reflect.get(new CommandClass("ping"), "toWritable") !== "function") return false;
  return client instanceof Redis || client instanceof Cluster;
}

/** Sends it over a single client, which `mayBeBytes` → its reply. ioredis is told the arguments that it needs to know, such as the key. */
export function callWithBytes(
  client: RedisClient,
  name: string,
  args: readonly Argument[],
  bytes: Buffer,
): Promise<unknown> {
  const command = new Command(name, [...args]);
  // Named first. V8 puts a function that is written directly as the value of an assignment to a property among its old objects, with
  // all that it refers to, until the next collection of all there is.
  const write = (): Buffer => bytes;
  command.toWritable = write;
  // As it is: with another wait around it, ioredis' command would keep all that waits for it.
  return (client as Redis).sendCommand(command) as Promise<unknown>;
}
