/** What must hold for every command that speaks to a server, whatever it does. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../src/table/index.ts";
import { CALLS } from "./calls.ts";
import { expectNoControls, useCli } from "./cli.ts";

const redis = useServer({
  users: [{ name: "default", password: "all", rules: "~* &* +@all" }],
  speakAs: "default",
});
const cli = useCli(redis);
const AT_ONCE = 3;
/** What the import of dead letters reads. */
const LETTERS = join(cli.folder, "letters.ndjson");
const letterOf = { entryId: "1-1", at: "2026-01-31T12:00:00Z", deliveries: 1, reason: "rejected", fields: { a: "1" } };
writeFileSync(LETTERS, `${JSON.stringify(letterOf)}\n`);

// These make a stream of their own.
const WITHOUT_STREAM = ["bench", "demo"];
// These look at all streams.
const LISTING = ["streams", "status", "top"];
// A context is only written down, and completion is silent whatever happens.
const connecting = COMMANDS.map(({ spec }) => spec).filter(
  ({ connects, path }) => connects && !["context", "completion"].includes(path[0] ?? ""),
);

/** A right that each of them cannot do without, and what it is called with to come as far as that. */
const NEEDED: Readonly<Record<string, readonly [right: string, ...more: string[]]>> = {
  produce: ["xadd"],
  consume: ["xreadgroup"],
  monitor: ["xpending"],
  "monitor serve": ["xinfo|consumers"],
  dashboard: ["xinfo|groups"],
  cleanup: ["xinfo|groups"],
  trim: ["xinfo|stream"],
  check: ["xpending"],
  scale: ["time"],
  "scale run": ["xinfo|groups"],
  status: ["xinfo|groups"],
  top: ["xinfo|groups"],
  streams: ["scan"],
  groups: ["xinfo|groups"],
  consumers: ["xinfo|consumers"],
  pending: ["xpending"],
  "pending ack": ["xack", "--yes"],
  "pending release": ["xpending", "--yes", "--take"],
  "pending dead-letter": ["xpending", "--yes", "--take"],
  peek: ["xrange"],
  tail: ["xrevrange"],
  "dead-letters list": ["xlen"],
  "dead-letters summary": ["xrevrange"],
  "dead-letters export": ["xrange"],
  "dead-letters import": ["xadd", "--yes"],
  "dead-letters show": ["xrange"],
  "dead-letters redrive": ["xinfo|stream", "--yes"],
  "dead-letters discard": ["xdel", "--yes"],
  "group create": ["xgroup|create", "--yes"],
  "group pause": ["hset"],
  "group resume": ["hdel"],
  "group rate": ["xinfo|groups"],
  "group seek": ["xgroup|setid", "--yes", "--skip-unread"],
  "group delete": ["xgroup|destroy", "--yes", "--lose-pending"],
  reassign: ["xpending", "--yes"],
  bench: ["xgroup|create"],
  demo: ["xgroup|create"],
};

interface Sweep {
  readonly key?: string;
  readonly env?: (name: string) => Readonly<Record<string, string>>;
  readonly args?: (name: string) => readonly string[];
  readonly commands?: readonly (typeof connecting)[number][];
}

interface End {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs all of them on this key, a few at a time → what each ended with. */
async function sweep({ key = "none", env = () => ({}), args = () => [], commands = connecting }: Sweep) {
  const waiting = [...commands];
  const ends = new Map<string, End>();
  const work = async (): Promise<void> => {
    for (let spec = waiting.shift(); spec !== undefined; spec = waiting.shift()) {
      const name = spec.path.join(" ");
      const given = [...(CALLS[name] ?? []), ...args(name)].map((word) =>
        word === "STREAM" ? key : word === "LETTERS" ? LETTERS : word,
      );
      ends.set(name, await cli.run([...spec.path, ...given], { env: env(name) }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return ends;
}

const codesOf = (ends: Awaited<ReturnType<typeof sweep>>) =>
  Object.fromEntries([...ends].map(([name, { code, stderr }]) => [name, code === 1 ? `1: ${stderr}` : code]));

/** All of them end with this code, but `check`, which has its own; and each says what is wrong and what to do. */
function expectComplaints(ends: Awaited<ReturnType<typeof sweep>>, code: number, says: (name: string) => string): void {
  expect(codesOf(ends)).toEqual(
    Object.fromEntries([...ends.keys()].map((name) => [name, name === "check" ? 3 : code])),
  );
  for (const [name, { stdout, stderr }] of ends) {
    // A monitoring system reads what `check` prints.
    const told = name === "check" ? stdout : stderr;
    const form = name === "check" ? /^UNKNOWN {2}.*\n$/ : /^(warn: .*\n)?error: .*\n(.*\n)*fix: {3}\S.*\n$/;
    expect([name, told]).toEqual([name, expect.stringMatching(form)]);
    // What was done before it failed is reported; the others had nothing to report.
    // Without a connection it has nothing to report.
    const printed = { produce: /^(added +0\n|$)/, check: form, demo: /^(\n1\. .*\n)?$/ }[name] ?? /^$/;
    expect([name, stdout]).toEqual([name, expect.stringMatching(printed)]);
    expect([name, told]).toEqual([name, expect.stringContaining(name === "check" ? "UNKNOWN" : says(name))]);
    expect([name, told.match(/^ {4}at |node:|\.js:\d/m)]).toEqual([name, null]);
  }
}

describe("every command", () => {
  it("is called here", () => {
    const named = connecting.map(({ path }) => path.join(" ")).toSorted();
    expect(Object.keys(CALLS).toSorted()).toEqual(named);
    // The doctor tells what it may not ask, and goes on.
    expect([...Object.keys(NEEDED), "doctor"].toSorted()).toEqual(named);
  });

  it("says that no server is there, and where the address comes from", async () => {
    expect.hasAssertions();
    // The tour would start a server of its own.
    const env = () => ({ REDIS_URL: "", PATH: "" });
    const args = () => ["--url", "redis://127.0.0.1:1", "--connect-timeout", "200ms"];
    expectComplaints(await sweep({ env, args }), 3, () => "The address comes from the command line");
  });

  it("says that the password is wrong, and nothing of it", async () => {
    const REDIS_URL = `redis://127.0.0.1:${redis.server.port}`;
    const ends = await sweep({ env: () => ({ REDIS_URL, REDIS_PASSWORD: "hunter-2" }) });
    expectComplaints(ends, 4, () => "--password-file");
    for (const { stdout, stderr } of ends.values()) expect(`${stdout}${stderr}`).not.toContain("hunter-2");
  });

  it("says that a key of another type is no stream", async () => {
    const key = uniqueName("text");
    await redis.server.command("SET", key, "text");
    const commands = connecting.filter(({ path }) => ![...WITHOUT_STREAM, ...LISTING].includes(path[0] ?? ""));
    const ends = await sweep({ key, commands });
    // These list the keys that are streams.
    expect((await cli.run(["streams", "--match", key])).stdout).toContain("No streams matched.");
    expect((await cli.run(["status", "--match", key])).stdout).toContain("There are no streams.");
    expectComplaints(ends, 5, () => "something other than a stream");
    await redis.server.command("DEL", key);
  });

  it("says that a stream is not there, or has no such group, and how to find those that are", async () => {
    // These list all there are, make what is missing, report it as a finding, or wait for it.
    const exceptions = [
      ...WITHOUT_STREAM,
      ...LISTING,
      "produce",
      "doctor",
      "group create",
      "monitor serve",
      "dashboard",
      "scale run",
    ];
    const commands = connecting.filter(({ path }) => !exceptions.includes(path.join(" ")));
    const key = uniqueName("missing");
    for (const isThere of [false, true]) {
      if (isThere) await redis.server.command("XADD", key, "*", "a", "1");
      const ofGroups = commands.filter(({ path }) => CALLS[path.join(" ")]?.includes("g"));
      const ends = await sweep({ key, commands: isThere ? ofGroups : commands });
      expectComplaints(ends, 5, (name) => (name === "consume" ? "--create start" : "`redis-batch streams`"));
      for (const [name, { stdout, stderr }] of ends)
        expect([name, `${stdout}${stderr}`]).toEqual([
          name,
          expect.stringMatching(isThere ? /has no group "g"/ : /there is no stream|has no group/),
        ]);
    }
    await redis.server.command("DEL", key);
  });

  it("says which right is missing, and the rule that grants it", async () => {
    const key = uniqueName("denied");
    const command = redis.server.command.bind(redis.server);
    await command("XADD", key, "1-1", "a", "1");
    await command("XADD", key, "1-2", "a", "1");
    await command("XGROUP", "CREATE", key, "g", "0");
    await command("XREADGROUP", "GROUP", "g", "a", "COUNT", 1, "STREAMS", key, ">");
    await command("XGROUP", "CREATECONSUMER", key, "g", "b");
    const history = ["id", "1-1", "consumer", "a", "deliveries", "1", "reason", "rejected", "error", "", "at", "1"];
    const letter = history.map((word, at) => (at % 2 === 0 ? `dead.${word}` : word));
    await command("XADD", `rb:{${key}}:dead:${key}:g`, "1-1", "a", "1", ...letter);
    for (const [right] of Object.values(NEEDED)) {
      await command("ACL", "SETUSER", `no-${right}`, "on", ">pw", "~*", "&*", "+@all", `-${right}`);
    }
    const rightOf = (name: string) => NEEDED[name]?.[0] ?? "";
    const ends = await sweep({
      key,
      env: (name) => ({ REDIS_URL: "", REDIS_USERNAME: `no-${rightOf(name)}`, REDIS_PASSWORD: "pw" }),
      args: (name) => [...["--url", `redis://127.0.0.1:${redis.server.port}`], ...(NEEDED[name]?.slice(1) ?? [])],
      commands: connecting.filter(({ path }) => path[0] !== "doctor"),
    });
    expectComplaints(ends, 4, (name) => `+${rightOf(name)}`);
    // Refused as a whole: nothing is half done.
    expect(((await command("XPENDING", key, "g")) as unknown[])[0]).toBe(1);
    expect(await command("XLEN", `rb:{${key}}:dead:${key}:g`)).toBe(1);
  });

  it("takes a hostile name for a name, and sends none of it to the terminal", async () => {
    const key = `${uniqueName("hostile")}\u001b[2J\u0007\u202e\r\n*"'$(reboot) ü`;
    await redis.server.command("XADD", key, "*", "a", "1");
    await redis.server.command("XGROUP", "CREATE", key, "g", "0");
    // These would run until they are stopped, or take no name.
    const except = ["monitor serve", "top", "dashboard", "scale run", ...WITHOUT_STREAM];
    const ends = await sweep({ key, commands: connecting.filter(({ path }) => !except.includes(path.join(" "))) });
    for (const [name, { stdout, stderr }] of ends) expectNoControls(`${name}${stdout}${stderr}`);
    // That nobody works on what waits is a problem that these find, the last one after a while.
    for (const name of ["doctor", "status"]) if (ends.get(name)?.code === 1) ends.delete(name);
    if ([1, 2].includes(ends.get("check")?.code ?? 0)) ends.delete("check");
    const codes = codesOf(ends);
    expect(Object.entries(codes).filter(([, code]) => ![0, 5, 6].includes(Number(code)))).toEqual([]);
    await redis.server.command("DEL", key);
  });
});
