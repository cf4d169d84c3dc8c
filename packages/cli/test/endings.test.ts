/** How commands end when their reader goes away, and when they are interrupted. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../src/table/index.ts";
import { CALLS } from "./calls.ts";
import { useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);
const AT_ONCE = 3;

/** A stream with some messages, a group that holds one of them, and a dead letter. */
async function busy(purpose: string): Promise<string> {
  const stream = uniqueName(purpose);
  for (let n = 0; n < 5; n++) await redis.server.command("XADD", stream, "*", "n", n);
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
  await redis.server.command("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", stream, ">");
  const history = ["id", "1-1", "consumer", "c", "deliveries", "1", "reason", "rejected", "error", "", "at", "1"];
  const letter = history.map((word, at) => (at % 2 === 0 ? `dead.${word}` : word));
  await redis.server.command("XADD", `rb:{${stream}}:dead:${stream}:g`, "1-1", "a", "1", ...letter);
  return stream;
}

/** What each command is called with so that it prints something, and the long ones go on. */
const PRINTING: Readonly<Record<string, readonly string[]>> = {
  ...CALLS,
  consume: ["STREAM", "g", "--max-wait", "1ms"],
  monitor: ["STREAM", "g", "--watch", "--interval", "100ms"],
  "monitor serve": ["STREAM", "--port", "0", "--interval", "100ms"],
  scale: ["STREAM", "g", "--watch", "--interval", "100ms"],
  "scale run": ["STREAM", "g", "--json", "--interval", "100ms"],
  "scale simulate": [],
  reassign: ["STREAM", "g", "--from", "c", "--to", "d"],
  "dead-letters key": ["STREAM", "g"],
  "dead-letters import": ["STREAM", "g", "--file", "/dev/null"],
  acl: ["consumer", "STREAM"],
  completion: ["bash"],
  "completion names": ["context"],
  reference: [],
  "context add": ["STREAM", "--url", "redis://h"],
  "context list": [],
  "context use": ["kept"],
  "context remove": ["gone"],
};

describe("a reader that goes away", () => {
  it("ends every command quietly, with 0, and with nothing said of pipes", async () => {
    expect(Object.keys(PRINTING).toSorted()).toEqual(COMMANDS.map(({ spec }) => spec.path.join(" ")).toSorted());
    const stream = await busy("pipe");
    const saved = { url: "redis://h" };
    writeFileSync(
      join(cli.folder, "config.json"),
      JSON.stringify({ version: 1, contexts: { kept: saved, gone: saved } }),
    );
    await redis.server.command("XGROUP", "CREATECONSUMER", stream, "g", "d");
    const [[pending = ""] = []] = (await redis.server.command("XPENDING", stream, "g", "-", "+", 1)) as string[][];
    const waiting = Object.entries(PRINTING);
    const ends: Record<string, readonly [number | null, string]> = {};
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [name, args] = next;
        const words = [...name.split(" "), ...args].map((word) =>
          word === "STREAM" ? stream : name.startsWith("pending ") && word === "1-1" ? pending : word,
        );
        // Gone before the first word is written: every write of it fails.
        ends[name] = await endWithoutReader(words);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const quiet = Object.entries(ends).filter(
      ([, [code, stderr]]) => code !== 0 || /EPIPE|error|^ {4}at /m.test(stderr),
    );
    expect(quiet).toEqual([]);
    // What could not be printed was not acknowledged.
    const [group] = (await redis.server.command("XINFO", "GROUPS", stream)) as unknown[][];
    const { pending: held, "entries-read": read } = Object.fromEntries(
      Array.from({ length: (group?.length ?? 0) / 2 }, (_, at) => [String(group?.[2 * at]), group?.[2 * at + 1]]),
    );
    expect([held, Number(read) > 1]).toEqual([read, true]);
  });

  it("hides no verdict and no failure: the exit code shows them all the same", async () => {
    const stream = await busy("verdict");
    const [code] = await endWithoutReader(["check", stream, "g", "--max-backlog", "1"]);
    expect(code).toBe(2);
    const file = join(cli.folder, "broken.ndjson");
    writeFileSync(file, '{"n":1}\nnonsense\n');
    const [failed, said] = await endWithoutReader(["produce", stream, "--file", file]);
    expect([failed, said]).toEqual([2, expect.stringContaining("line 2 is not a message")]);
    const [skipped] = await endWithoutReader(["produce", stream, "--file", file, "--skip-invalid"]);
    expect(skipped).toBe(2);
  });
});

/** Runs it with a standard output that nobody reads → its exit code, and what it said on standard error. */
async function endWithoutReader(words: readonly string[]): Promise<readonly [number | null, string]> {
  const child = spawn(process.execPath, [cli.bin, ...words], { env: cli.env(), stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return [code, stderr];
}

describe("Ctrl-C", () => {
  /** Commands that run until they are stopped, the line that shows that they run, and how they end. */
  const RUNNING: readonly (readonly [line: readonly string[], sign: RegExp, code: number])[] = [
    [["consume", "STREAM", "g", "--max-wait", "10ms", "--ack", "never"], /"n":/, 0],
    [["tail", "STREAM", "-f"], /n=4/, 0],
    [["groups", "STREAM", "--watch", "--interval", "100ms"], /^stream/, 0],
    [["status", "--match", "STREAM", "--watch", "--interval", "100ms"], /^STREAM/, 0],
    [["top", "--match", "STREAM", "--interval", "100ms"], /^STREAM/, 0],
    [["monitor", "STREAM", "g", "--watch", "--interval", "100ms"], /waiting \d/, 0],
    [["monitor", "serve", "STREAM", "--port", "0", "--interval", "100ms"], /^url/, 0],
    [["dashboard", "STREAM", "--port", "0"], /^url/, 0],
    [["scale", "STREAM", "g", "--watch", "--interval", "100ms"], /^throughput/, 0],
    [["scale", "run", "STREAM", "g", "--interval", "100ms"], /^throughput/, 0],
  ];

  it.each(RUNNING)("ends %j", async (line, sign, code) => {
    const stream = await busy("interrupt");
    await using running = await cli.start(line.map((word) => (word === "STREAM" ? stream : word)));
    await running.waitForLine(sign, { timeoutMs: 20_000 });
    running.kill("SIGINT");
    expect((await running.exited).code).toBe(code);
    expect(running.stderr).toContain("press Ctrl-C again");
    expect(running.stderr).not.toMatch(/EPIPE|error|^ {4}at /m);
  });

  it.each([
    ["says what was added", [], '{"n":1}\n', { added: 1, skipped: 0 }],
    ["says what would have been", ["--dry-run", "--skip-invalid"], 'nonsense\n{"n":1}\n', { ready: 1, skipped: 1 }],
  ])("ends produce while it waits for the next line, and %s", async (_says, more, input, report) => {
    const stream = uniqueName("typing");
    await using typing = await cli.start(["produce", stream, "--json", ...more]);
    typing.send(input);
    await eventually(
      "the line was read",
      async () => typing.stderr.includes("skipped") || Number(await redis.server.command("XLEN", stream)) === 1,
      { timeoutMs: 20_000 },
    );
    typing.kill("SIGINT");
    expect((await typing.exited).code).toBe(130);
    expect(JSON.parse(typing.lines.join("\n"))).toMatchObject(report);
    expect(typing.stderr).toContain("interrupted before the end of the input");
  });

  it("ends what waits for a server that does not answer, at once and with 130", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const ends: Record<string, unknown> = {};
      const waiting = [
        "groups",
        "tail",
        "consume",
        "produce",
        "monitor",
        "scale",
        "cleanup",
        "dead-letters list",
        "bench",
      ];
      for (const name of waiting) {
        const called = once(server, "connection");
        const args = (PRINTING[name] ?? []).map((word) => (word === "STREAM" ? "s" : word));
        const url = ["--url", `redis://127.0.0.1:${port}`, "--connect-timeout", "1m"];
        await using process = await cli.start([...name.split(" "), ...args, ...url]);
        await called;
        process.kill("SIGINT");
        const code = await Promise.race([process.exited.then((exit) => exit.code), pause(systemClock, 10_000)]);
        ends[name] = code;
      }
      expect(ends).toEqual(Object.fromEntries(waiting.map((name) => [name, 130])));
    } finally {
      server.close();
    }
  });
});
