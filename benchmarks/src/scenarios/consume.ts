import { spawnSync } from "node:child_process";
import { ORIGINAL_SCRIPT } from "../build.ts";
import { type Bench, CannotRunError, type Scenario } from "../scenario.ts";
import { consumingArena, deletingArena, loadOf } from "./consuming.ts";

const OURS = { contender: "consumer-run" };
const RAW = { contender: "raw-ioredis" };

const FEW = { quick: { messages: 6_000, warmUp: 1_000 }, full: { messages: 50_000, warmUp: 10_000 } } as const;

export const CONSUME: readonly Scenario[] = [
  {
    name: "ack-each",
    what: "message.ack() one by one, batch 100",
    oursName: "message.ack()",
    referenceName: "batch.ack()",
    targets: [{ metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 1.1 }],
    prepare: (bench) => consumingArena(bench, loadOf(bench, "bench:ack-each", 100), { ...OURS, variant: "each" }, OURS),
  },
  {
    name: "ack-delete",
    what: 'the option onAck: "delete", which keeps entries that another group has not read yet, against XACK and XDEL, which do not; batch 100',
    oursName: "Consumer.run",
    referenceName: "raw ioredis loop",
    targets: [
      { metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 0.5 },
      { metric: "server CPU µs/message", of: "ratio", bound: "at most", value: 1.2 },
    ],
    prepare: async (bench) =>
      deletingArena(
        bench,
        loadOf(bench, "bench:ack-delete", 100),
        { ...OURS, variant: "delete" },
        { ...RAW, variant: "delete" },
      ),
  },
  {
    name: "guarantees",
    what: "with an observer and a lease of one second, so that renewals, heartbeats and checks for dead consumers happen during the run, against as few of them as the options allow; batch 100",
    oursName: "on",
    referenceName: "off",
    targets: [{ metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 1.05 }],
    prepare: (bench) =>
      consumingArena(
        bench,
        loadOf(bench, "bench:guarantees", 100),
        { ...OURS, variant: "watched" },
        { ...OURS, variant: "unwatched" },
      ),
  },
  {
    name: "memory",
    what: "messages of 1 KiB, batch 1000, a long backlog",
    oursName: "Consumer.run",
    referenceName: "raw ioredis loop",
    targets: [
      { metric: "peak RSS MB", of: "ours", bound: "at most", value: 120 },
      { metric: "RSS growth", of: "ours", bound: "at most", value: 1.05 },
    ],
    mostRounds: 3,
    prepare: (bench) => {
      const messages = bench.quick ? 60_000 : 1_000_000;
      const load = { stream: "bench:memory", batchSize: 1_000, messages, warmUp: messages / 5, noteBytes: 980 };
      return consumingArena(bench, load, OURS, RAW);
    },
  },
  {
    name: "memory-100",
    what: "messages of 100 bytes, batch 100, at full speed, Node's defaults",
    oursName: "Consumer.run",
    referenceName: "raw ioredis loop",
    targets: [{ metric: "peak RSS MB", of: "ours", bound: "at most", value: 100 }],
    metrics: ["peak RSS MB", "RSS growth"],
    mostRounds: 3,
    prepare: (bench) => consumingArena(bench, loadOf(bench, "bench:memory-100", 100), OURS, RAW),
  },
  {
    name: "memory-small",
    what: "the same, with Node's --max-semi-space-size=4 for both",
    oursName: "Consumer.run",
    referenceName: "raw ioredis loop",
    targets: [{ metric: "peak RSS MB", of: "ours", bound: "at most", value: 120 }],
    mostRounds: 3,
    prepare: (bench) => {
      const messages = bench.quick ? 60_000 : 500_000;
      const load = { stream: "bench:memory-small", batchSize: 1_000, messages, warmUp: messages / 5, noteBytes: 980 };
      const options = { worker: { env: { NODE_OPTIONS: "--max-semi-space-size=4" } } };
      return consumingArena(bench, load, { ...OURS, options }, { ...RAW, options });
    },
  },
  {
    name: "python-original",
    what: "the Python original, which acknowledges message by message, batch 100",
    oursName: "Consumer.run",
    referenceName: "Python original",
    targets: [{ metric: "messages/s", of: "ratio", bound: "at least", value: 40 }],
    prepare: async (bench) => {
      const env = originalEnvironment(bench);
      // It is started by the line that would start Node with a script of ours, and takes of it the task at the end.
      const original = { ...RAW, options: { worker: { launcher: ["python3", ORIGINAL_SCRIPT], env } } };
      // Fewer for the slower one, or it would be most of the run.
      const few = { stream: "bench:original", batchSize: 100, ...FEW[bench.quick ? "quick" : "full"] };
      const fast = await consumingArena(bench, loadOf(bench, "bench:against-original", 100), OURS, RAW);
      const slow = await consumingArena(bench, few, OURS, original);
      return {
        ours: fast.ours,
        reference: slow.reference,
        close: async () => {
          await fast.close?.();
          await slow.close?.();
        },
      };
    },
  },
];

function originalEnvironment({ original }: Bench): Record<string, string> {
  if (original === undefined) throw new CannotRunError("--original names no folder that holds its redis_streams");
  const inherited = process.env["PYTHONPATH"];
  const env = { PYTHONPATH: inherited === undefined ? original : `${original}:${inherited}` };
  const { status, stderr } = spawnSync("python3", ["-c", "import redis_streams.consumer"], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  if (status !== 0) throw new CannotRunError(`python3 cannot import it: ${(stderr ?? "").trim().split("\n").at(-1)}`);
  return env;
}
