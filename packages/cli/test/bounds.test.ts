/** However long a stream and however large its messages: what a command needs of memory has a limit. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { useCli } from "./cli.ts";

const redis = useServer({ own: true });
const cli = useCli(redis);

/** Adds that many messages of this size inside the server. */
async function fill(stream: string, messages: number, bytes: number): Promise<void> {
  const script =
    "for n = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'n', n, 'v', string.rep('x', ARGV[2])) end return 1";
  // The server is busy for a moment only each time.
  const atOnce = Math.max(Math.floor(5_242_880 / (bytes + 400)), 1);
  for (let left = messages; left > 0; left -= atOnce) {
    await redis.server.command("EVAL", script, 1, stream, Math.min(left, atOnce), bytes);
  }
}

interface Measured {
  readonly code: number | null;
  readonly stdout: string;
  readonly maxRssMiB: number;
}

/** Runs it with so little heap that it ends where it keeps what it reads → the most memory that it had. */
async function measure(args: readonly string[]): Promise<Measured> {
  const probe = join(cli.folder, "probe.cjs");
  writeFileSync(
    probe,
    'process.on("exit", () => process.stderr.write(`\\nmaxRss ${process.resourceUsage().maxRSS / 1024}\\n`));',
  );
  const env = { NODE_OPTIONS: `--max-old-space-size=64 --require ${probe}` };
  const { code, stdout, stderr } = await cli.run(args, { env });
  return { code, stdout, maxRssMiB: Number(/^maxRss ([\d.]+)$/m.exec(stderr)?.[1]) };
}

describe("memory", () => {
  it("does not grow with the number of messages", async () => {
    const stream = uniqueName("many");
    await fill(stream, 300_000, 100);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    const read = "redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 5000, 'STREAMS', KEYS[1], '>') return 1";
    for (let page = 0; page < 30; page++) await redis.server.command("EVAL", read, 1, stream);
    const tailed = await measure(["tail", stream, "-n", "20000", "--json"]);
    expect({ ...tailed, stdout: tailed.stdout.split("\n").length - 1 }).toMatchObject({ code: 0, stdout: 20_000 });
    const pending = await measure(["pending", stream, "g", "--min-deliveries", "2", "--json"]);
    expect(JSON.parse(pending.stdout)).toMatchObject({ pending: 150_000, messages: [] });
    const seeking = await measure(["group", "seek", stream, "g", "--to", "start", "--dry-run", "--json"]);
    expect(JSON.parse(seeking.stdout)).toMatchObject({ messagesExact: false });
    for (const { code, maxRssMiB } of [tailed, pending, seeking]) {
      expect(code).toBe(0);
      expect(maxRssMiB).toBeLessThan(250);
    }
  });

  it("does not grow with the size of messages", async () => {
    const stream = uniqueName("large");
    // 200 MiB in all.
    await fill(stream, 100, 2_097_152);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "$");
    for (const args of [
      ["peek", stream, "-n", "100"],
      ["peek", stream, "--newest", "-n", "100"],
      ["tail", stream, "-n", "80"],
      ["group", "seek", stream, "g", "--to", "start", "--dry-run"],
    ]) {
      const { code, maxRssMiB } = await measure(args);
      expect([args[0], code]).toEqual([args[0], 0]);
      expect([args.join(" "), Math.max(maxRssMiB, 250)]).toEqual([args.join(" "), 250]);
    }
    await redis.server.command("DEL", stream);
  });
});
