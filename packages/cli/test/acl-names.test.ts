/** What `redis-batch acl` prints can be pasted, whatever the stream is called: as a command, and into an ACL file. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { deadLetterKey } from "@redis-batch/core";
import {
  createScratchFolder,
  findServer,
  ownServersOnly,
  RedisServer,
  removeScratchFolder,
  type ServerVersion,
} from "@redis-batch/test-support";
import { afterAll, describe, expect, test } from "vitest";
import { parseCommandLine } from "../src/command-line/parse.ts";
import { COMMANDS } from "../src/table/index.ts";
import { acl } from "../src/table/setup.ts";
import { Terminal } from "../src/terminal.ts";

ownServersOnly("several");

/** Names, each with one that is nearly the same, and is none of its business. */
const NAMES: readonly (readonly [name: string, other: string])[] = [
  ["orders", "orders2"],
  ["a*", "ab"],
  ["a?", "ab"],
  ["a[b]", "ab"],
  ["{a b}:c d", "{a_b}:c d"],
  ["100%~x", "100%~"],
  ["%R~secret", "secret"],
  ["back\\slash", "backslash"],
  ['qu"ote', "quote"],
  ["it's", "its"],
  ["(par)en)", "(par)en"],
  ["grüße", "grusse"],
];
const ROLES = ["producer", "consumer", "monitor", "scaler", "dead-letters", "groups", "dashboard"];

const folder = createScratchFolder();
afterAll(() => removeScratchFolder(folder));

/** What the command prints, run in this process. */
async function print(...args: readonly string[]): Promise<string> {
  let printed = "";
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  const parsed = parseCommandLine(["acl", ...args], [acl]);
  if (parsed.kind !== "run") throw new Error("the command was called wrongly");
  const terminal = new Terminal({ stdout, stderr: stdout, env: {} });
  const command = await COMMANDS.find(({ spec }) => spec === parsed.spec)?.load();
  const { signal } = new AbortController();
  await command?.run({ ...parsed, terminal, commands: [], signal });
  return printed.trimEnd();
}

const USERS = NAMES.flatMap(([name], index) => ROLES.map((role) => ({ name, role, user: `${role}-${index}` })));
const printAll = (...more: readonly string[]) =>
  Promise.all(USERS.map(({ name, role, user }) => print(role, name, "--name", user, "--cluster", ...more)));
/** The users of a server, with the words of each selector in a stable order: servers list commands in an order of their own. */
const usersOf = async (server: RedisServer) =>
  ((await server.command("ACL", "LIST")) as string[])
    .filter((line) => !line.startsWith("user default"))
    .map((line) =>
      line
        .replace(" sanitize-payload", "")
        .split(" (")
        .map((part) => part.replace(/\)$/, "").split(" ").toSorted().join(" ")),
    )
    .toSorted((left, right) => (String(left) < String(right) ? -1 : 1));

describe.each(["redis-7.0", "redis-8.6", "valkey-9.1"] satisfies ServerVersion[])("on %s", (version) => {
  test("a command and a line of an ACL file make the same users, for one stream and no other", async () => {
    const source = await findServer({ version });
    if (source.kind === "external") throw new Error("a version is never an external server");
    // The server reads its configuration as redis-cli reads what is typed.
    const commands = (await printAll()).map((line) => line.replace(/^ACL SETUSER/, "user"));
    const lines = await printAll("--acl-file");
    const file = join(folder, `${version}.acl`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    await using typed = await RedisServer.start({ source, config: commands });
    await using loaded = await RedisServer.start({ source, config: [`aclfile ${file}`] });
    const users = await usersOf(typed);
    expect(users).toHaveLength(USERS.length);
    expect(await usersOf(loaded)).toEqual(users);
    // What the server writes down itself, it can read again.
    await loaded.command("ACL", "SAVE");
    await loaded.command("ACL", "LOAD");
    expect(await usersOf(loaded)).toEqual(users);
    for (const [index, [name, other]] of NAMES.entries()) {
      const mayAdd = (key: string) => typed.command("ACL", "DRYRUN", `producer-${index}`, "XADD", key, "*", "n", 1);
      expect([name, await mayAdd(name)]).toEqual([name, "OK"]);
      expect([other, await mayAdd(other)]).not.toEqual([other, "OK"]);
      const mayBury = (key: string) =>
        typed.command("ACL", "DRYRUN", `consumer-${index}`, "XADD", deadLetterKey(key, "g"), "*", "n", 1);
      expect([name, await mayBury(name)]).toEqual([name, "OK"]);
      expect([other, await mayBury(other)]).not.toEqual([other, "OK"]);
    }
  });
});

test("what cannot be requested for a role is refused by name", async () => {
  await expect(print("monitor", "orders", "--with", "trim,discard")).rejects.toThrow(
    /--with discard: .* only pause, trim/,
  );
  await expect(print("producer", "orders", "--with", "trim")).rejects.toThrow("nothing to request");
});
