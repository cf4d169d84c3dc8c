/** Asks the server what a user may do, without doing it. */
import { groupKey, idempotencyKey } from "../names/keys.ts";
import { partitionsKey } from "../names/partitions.ts";
import { type Extra, type Grant, type KeySet, RIGHTS, type Role, rulesOf } from "../redis/rights.ts";
import type { StreamClient } from "../stream-client.ts";
import type { RightsFacts } from "./diagnosis.ts";
import { roleName } from "./missing-commands.ts";

interface Address {
  readonly stream: string;
  readonly group: string;
}

/** A complete command that needs a rule: the server also checks its keys. */
function commandFor(rule: string, keys: readonly string[], group: string): readonly string[] {
  const words = rule.slice(1).split("|");
  const key = keys[0] ?? "";
  switch (rule) {
    case "+xadd":
      return ["xadd", key, "*", "a", "1"];
    case "+xreadgroup":
      return ["xreadgroup", "GROUP", group, "c", "STREAMS", key, ">"];
    case "+xack":
      return ["xack", key, group, "1-1"];
    case "+xackdel":
      return ["xackdel", key, group, "IDS", "1", "1-1"];
    case "+xpending":
      return ["xpending", key, group];
    case "+xclaim":
      return ["xclaim", key, group, "c", "0", "1-1"];
    case "+xrange":
      return ["xrange", key, "-", "+"];
    case "+xrevrange":
      return ["xrevrange", key, "+", "-"];
    case "+xdel":
      return ["xdel", key, "1-1"];
    case "+xtrim":
      return ["xtrim", key, "MAXLEN", "1000"];
    case "+xinfo|consumers":
    case "+xgroup|destroy":
      return [...words, key, group];
    case "+xgroup|create":
    case "+xgroup|setid":
      return [...words, key, group, "0"];
    case "+xgroup|createconsumer":
    case "+xgroup|delconsumer":
      return [...words, key, group, "c"];
    case "+wait":
      return ["wait", "0", "0"];
    case "+client|unblock":
      return [...words, "1"];
    case "+client|setname":
      return [...words, "x"];
    case "+eval":
      return ["eval", "return 1", String(keys.length), ...keys];
    case "+evalsha":
      return ["evalsha", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", String(keys.length), ...keys];
    case "+set":
      return ["set", key, "1"];
    case "+hget":
    case "+hdel":
      return [...words, key, "f"];
    case "+hset":
      return ["hset", key, "f", "1"];
    case "+zadd":
      return ["zadd", key, "1", "m"];
    case "+zrange":
      return ["zrange", key, "0", "0"];
    case "+zmscore":
    case "+zrem":
      return [...words, key, "m"];
    case "+zcount":
    case "+zremrangebyscore":
      return [...words, key, "-inf", "0"];
    default:
      return [...words, ...keys];
  }
}

/** A key of a kind. */
function sampleKey(set: KeySet, { stream, group }: Address): string {
  if (set === "stream") return stream;
  if (set === "idem") return idempotencyKey(stream, "x");
  if (set === "partitions") return partitionsKey(stream);
  return groupKey(set === "ours" ? "consumers" : set, stream, group);
}

/** Each rule of a grant with the commands that need it. Only scripts and UNLINK take several keys at once. */
function commandsOf({ keys, rules }: Grant, address: Address) {
  const samples = keys.map((set) => sampleKey(set, address));
  return rules.map((rule) => ({
    rule,
    commands:
      keys.length === 0 || /^\+(eval|evalsha|unlink)$/.test(rule)
        ? [commandFor(rule, samples, address.group)]
        : samples.map((key) => commandFor(rule, [key], address.group)),
  }));
}

interface RightsWanted {
  readonly user: string;
  readonly role: Role;
  readonly address: Address;
  /** Commands that the server does not offer; rights to them are left out. */
  readonly notOffered: ReadonlySet<string>;
  /** What is only granted on request, and is wanted. */
  readonly extras?: readonly Extra[];
}

/** The rights of a role that the user lacks. */
export async function probeRights(
  client: Pick<StreamClient, "mayRun">,
  { user, role, address, notOffered, extras = [] }: RightsWanted,
): Promise<RightsFacts> {
  const name = roleName(role);
  const missing: { purpose: string; rules: readonly string[]; isLeast: boolean }[] = [];
  for (const [index, { purpose, need, grants }] of RIGHTS[role].entries()) {
    if (need !== "least" && need !== "optional" && !extras.includes(need)) continue;
    const lacking: Grant[] = [];
    for (const grant of grants) {
      for (const { rule, commands } of commandsOf(grant, address)) {
        if (notOffered.has(rule.slice(1).split("|")[0] ?? "")) continue;
        const answers = await Promise.all(commands.map((command) => client.mayRun({ user, command })));
        if (answers.includes(null)) return { role: name, missing: null };
        if (answers.includes(false)) lacking.push({ keys: grant.keys, rules: [rule] });
      }
    }
    if (lacking.length > 0) {
      missing.push({ purpose, rules: rulesOf(lacking, address.stream), isLeast: index === 0 });
    }
  }
  return { role: name, missing };
}
