/** What must hold for every command that speaks to a server, whatever it does. */
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../src/table/index.ts";
import { expectNoControls, useCli } from "./cli.ts";

const redis = useServer({
  users: [
    { name: "default", password: "all", rules: "~* &* +@all" },
    { name: "nobody", password: "nobody", rules: "+ping" },
  ],
  speakAs: "default",
});
const cli = useCli(redis);
const AT_ONCE = 3;

/** Each command with what it needs to get as far as the server. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  produce: ["STREAM", "a=1"],
  consume: ["STREAM", "g", "--idle-exit", "200ms", "--max-wait", "10ms"],
  monitor: ["STREAM", "g"],
  "monitor serve": ["STREAM", "g", "--port", "0"],
  cleanup: ["STREAM", "g"],
  trim: ["STREAM"],
  check: ["STREAM", "g"],
  scale: ["STREAM", "g"],
  "scale run": ["STREAM", "g"],
  doctor: ["STREAM", "g"],
  streams: ["--match", "STREAM"],
  groups: ["STREAM"],
  consumers: ["STREAM", "g"],
  pending: ["STREAM", "g"],
  peek: ["STREAM"],
  tail: ["STREAM"],
  "dead-letters list": ["STREAM", "g"],
  "dead-letters show": ["STREAM", "g", "1-1"],
  "dead-letters redrive": ["STREAM", "g", "--all"],
  "dead-letters discard": ["STREAM", "g", "--all"],
  "group create": ["STREAM", "g"],
  "group seek": ["STREAM", "g", "--to", "end"],
  "group delete": ["STREAM", "g"],
  reassign: ["STREAM", "g", "--from", "a", "--to", "b"],
};
// The others have no stream: a context is only written down, benchmark and tour make their own.
const connecting = COMMANDS.map(({ spec }) => spec).filter(
  ({ connects, path }) => connects && !["context", "bench", "demo"].includes(path[0] ?? ""),
);

/** Runs all of them on this key, a few at a time → what each ended with. */
async function sweep(key: string, env: Readonly<Record<string, string>> = {}, except: readonly string[] = []) {
  const waiting = connecting.filter(({ path }) => !except.includes(path.join(" ")));
  const ends = new Map<string, { readonly code: number | null; readonly stdout: string; readonly stderr: string }>();
  const work = async (): Promise<void> => {
    for (let spec = waiting.shift(); spec !== undefined; spec = waiting.shift()) {
      const name = spec.path.join(" ");
      const args = (CALLS[name] ?? []).map((word) => (word === "STREAM" ? key : word));
      ends.set(name, await cli.run([...spec.path, ...args], { env }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return ends;
}

const codesOf = (ends: Awaited<ReturnType<typeof sweep>>) =>
  Object.fromEntries([...ends].map(([name, { code, stderr }]) => [name, code === 1 ? `1: ${stderr}` : code]));

describe("every command", () => {
  it("is called here", () => {
    expect(Object.keys(CALLS).toSorted()).toEqual(connecting.map(({ path }) => path.join(" ")).toSorted());
  });

  it("says that a key of another type is no stream", async () => {
    const key = uniqueName("text");
    await redis.server.command("SET", key, "text");
    const expected = Object.fromEntries(connecting.map(({ path }) => [path.join(" "), 5]));
    // Their keys are others: the stream's own is not asked for.
    const others = {
      streams: 0,
      check: 3,
      "dead-letters list": 0,
      "dead-letters redrive": 0,
      "dead-letters discard": 0,
    };
    expect(codesOf(await sweep(key))).toEqual({ ...expected, ...others });
    await redis.server.command("DEL", key);
  });

  it("says which right is missing", async () => {
    // The doctor tells what it may not ask, and goes on.
    const ends = await sweep(uniqueName("denied"), { REDIS_URL: redis.server.as("nobody").url }, ["doctor"]);
    const named = connecting.map(({ path }) => path.join(" ")).filter((name) => name !== "doctor");
    expect(codesOf(ends)).toEqual(Object.fromEntries(named.map((name) => [name, name === "check" ? 3 : 4])));
    for (const [name, { stdout, stderr }] of ends) {
      expect([name, `${stdout}${stderr}`]).toEqual([
        name,
        expect.stringMatching(/lacks a right.*permissions to (run|execute)/s),
      ]);
    }
  });

  it("takes a hostile name for a name, and sends none of it to the terminal", async () => {
    const key = `${uniqueName("hostile")}\u001b[2J\u0007\u202e\r\n*"'$(reboot) ü`;
    await redis.server.command("XADD", key, "*", "a", "1");
    await redis.server.command("XGROUP", "CREATE", key, "g", "0");
    // These would go on until they are told to end.
    const ends = await sweep(key, {}, ["monitor serve", "scale run"]);
    for (const [name, { stdout, stderr }] of ends) expectNoControls(`${name}${stdout}${stderr}`);
    const codes = codesOf(ends);
    expect(Object.entries(codes).filter(([, code]) => ![0, 5, 6].includes(Number(code)))).toEqual([]);
    await redis.server.command("DEL", key);
  });
});
