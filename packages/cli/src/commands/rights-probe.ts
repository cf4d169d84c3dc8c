/** Asks the server what a user may do, without doing it. */
import { aclRules, RIGHTS, type Role, type StreamClient } from "@redis-batch/core/internal/connection";
import { groupKey, idempotencyKey } from "@redis-batch/core/internal/names";
import type { RightsFacts } from "../decisions/diagnosis.ts";
import { roleName } from "../decisions/missing-commands.ts";

interface Address {
  readonly stream: string;
  readonly group: string;
}

/** Complete commands that need each rule: the server also checks their keys. */
function commandsFor(rule: string, { stream, group }: Address, key: string): readonly (readonly string[])[] {
  switch (rule) {
    case "+xadd":
      return [["xadd", stream, "*", "a", "1"]];
    case "+xreadgroup":
      return [["xreadgroup", "GROUP", group, "c", "STREAMS", stream, ">"]];
    case "+xack":
      return [["xack", stream, group, "1-1"]];
    case "+xpending":
      return [["xpending", stream, group]];
    case "+xclaim":
      return [["xclaim", stream, group, "c", "0", "1-1"]];
    case "+xrange":
      return [["xrange", key === "" ? stream : key, "-", "+"]];
    case "+xlen":
      return [["xlen", key === "" ? stream : key]];
    case "+xdel":
      return [["xdel", key === "" ? stream : key, "1-1"]];
    case "+xtrim":
      return [["xtrim", stream, "MAXLEN", "1000"]];
    case "+xinfo":
      return [
        ["xinfo", "STREAM", stream],
        ["xinfo", "GROUPS", stream],
        ["xinfo", "CONSUMERS", stream, group],
      ];
    case "+xinfo|stream":
      return [["xinfo", "STREAM", key === "" ? stream : key]];
    case "+xinfo|groups":
      return [["xinfo", "GROUPS", stream]];
    case "+xgroup|create":
      return [["xgroup", "CREATE", stream, group, "0"]];
    case "+xgroup|setid":
      return [["xgroup", "SETID", stream, group, "0"]];
    case "+xgroup|destroy":
      return [["xgroup", "DESTROY", stream, group]];
    case "+xgroup|createconsumer":
      return [["xgroup", "CREATECONSUMER", stream, group, "c"]];
    case "+xgroup|delconsumer":
      return [["xgroup", "DELCONSUMER", stream, group, "c"]];
    case "+command|info":
      return [["command", "INFO", "xadd"]];
    case "+client|id":
      return [["client", "ID"]];
    case "+client|unblock":
      return [["client", "UNBLOCK", "1"]];
    case "+client|setname":
      return [["client", "SETNAME", "x"]];
    case "+eval":
      return [["eval", "return 1", "0"]];
    case "+evalsha":
      return [["evalsha", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"]];
    case "+get":
    case "+hgetall":
    case "+del":
    case "+unlink":
      return [[rule.slice(1), key]];
    case "+set":
      return [["set", key, "1"]];
    case "+hget":
    case "+hdel":
      return [[rule.slice(1), key, "f"]];
    case "+zadd":
      return [["zadd", key, "1", "m"]];
    case "+zrange":
      return [["zrange", key, "0", "0"]];
    case "+zmscore":
    case "+zrem":
      return [[rule.slice(1), key, "m"]];
    case "+zcount":
    case "+zremrangebyscore":
      return [[rule.slice(1), key, "-inf", "0"]];
    case "+hset":
      return [["hset", key, "f", "1"]];
    case "+time":
    case "+info":
      return [[rule.slice(1)]];
    default:
      return [];
  }
}

/** The key of Redis Batch that a role's commands are tried on. */
function keyFor(role: Role, { stream, group }: Address): string {
  if (role === "producer") return idempotencyKey(stream, "x");
  return groupKey(role === "deadLetters" ? "dead" : "consumers", stream, group);
}

/**
 * The rights of a role that the user lacks. Key patterns come with the first part that lacks something. Rights to
 * commands that the server does not offer are left out.
 */
export async function probeRights(
  client: StreamClient,
  user: string,
  role: Role,
  address: Address,
  notOffered: ReadonlySet<string>,
): Promise<RightsFacts> {
  const name = roleName(role);
  const key = keyFor(role, address);
  const patterns = aclRules(role, address.stream, { least: false }).filter((rule) => rule.startsWith("~"));
  const missing: { purpose: string; rules: string[]; isLeast: boolean }[] = [];
  for (const [index, { purpose, rules }] of RIGHTS[role].entries()) {
    const lacking: string[] = [];
    for (const rule of rules) {
      if (notOffered.has(rule.slice(1).split("|")[0] ?? "")) continue;
      // Only reading dead letters needs XRANGE and similar commands on the group's streams.
      const asked = commandsFor(
        rule,
        address,
        role === "deadLetters" || !/^\+x(range|len|del|info)/.test(rule) ? key : "",
      );
      const answers = await Promise.all(asked.map((command) => client.mayRun({ user, command })));
      if (answers.includes(null)) return { role: name, missing: null };
      if (answers.includes(false)) lacking.push(rule);
    }
    if (lacking.length > 0)
      missing.push({ purpose, rules: [...(missing.length === 0 ? patterns : []), ...lacking], isLeast: index === 0 });
  }
  return { role: name, missing };
}
