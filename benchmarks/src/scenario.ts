/** A comparison of two contenders: rounds in turn on one server, and what comes of them. */
import type { RedisServer } from "@redis-batch/test-support";
import { type ClientFigures, runContender } from "./contender.ts";
import { serverCpuMs } from "./server-cpu.ts";
import { pairedRatios, type Spread, spreadOf } from "./statistics.ts";

export interface Scenario {
  readonly name: string;
  readonly what: string;
  readonly ours: URL;
  readonly reference: URL;
  readonly referenceName: string;
  readonly batchSize: number;
  readonly messages: number;
  /** The fields of message number `index`, as name, value, name, value … */
  readonly fields: (index: number) => readonly string[];
}

/** One figure of a scenario, ours against the reference. */
export interface Row {
  readonly scenario: string;
  readonly metric: "messages/s" | "client CPU µs/message" | "server CPU µs/message" | "RSS MB";
  readonly ours: Spread;
  readonly reference: Spread;
  /** Ours divided by the reference's, pair by pair. */
  readonly ratio: Spread;
}

interface Round {
  readonly client: ClientFigures;
  readonly serverCpuMs: number;
}

// One pipeline of so many adds is sent at a time while the stream is filled.
const FILL_STEP = 1_000;

/** Runs the scenario: one warm-up pair, then `rounds` pairs, in turn. `progress` is told about each. */
export async function runScenario(
  scenario: Scenario,
  server: RedisServer,
  rounds: number,
  progress: (round: number) => void,
): Promise<readonly Row[]> {
  const stream = `bench:${scenario.name}`;
  await fill(server, stream, scenario);
  const ours: Round[] = [];
  const reference: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    const first = await runRound(scenario, scenario.ours, server, stream, `ours-${round}`);
    const second = await runRound(scenario, scenario.reference, server, stream, `reference-${round}`);
    // The first pair warms the server's and the machine's caches.
    if (round === 0) continue;
    ours.push(first);
    reference.push(second);
    progress(round);
  }
  await server.command("DEL", stream);
  const { messages } = scenario;
  const row = (metric: Row["metric"], figure: (round: Round) => number): Row => ({
    scenario: scenario.name,
    metric,
    ours: spreadOf(ours.map(figure)),
    reference: spreadOf(reference.map(figure)),
    ratio: pairedRatios(ours.map(figure), reference.map(figure)),
  });
  return [
    row("client CPU µs/message", ({ client }) => (client.cpuMs * 1_000) / messages),
    row("server CPU µs/message", (round) => (round.serverCpuMs * 1_000) / messages),
    row("messages/s", ({ client }) => (messages * 1_000) / client.wallMs),
    row("RSS MB", ({ client }) => client.rssBytes / 1_000_000),
  ];
}

async function runRound(
  { batchSize, messages }: Scenario,
  contender: URL,
  server: RedisServer,
  stream: string,
  group: string,
): Promise<Round> {
  const { host, port } = server.options;
  if (host === undefined || port === undefined) throw new Error("benchmarks need a server on a TCP port");
  const before = await serverCpuMs(server);
  const client = await runContender(contender, { redis: { host, port }, stream, group, batchSize, messages });
  const after = await serverCpuMs(server);
  await server.command("XGROUP", "DESTROY", stream, group);
  return { client, serverCpuMs: after - before };
}

async function fill(server: RedisServer, stream: string, { messages, fields }: Scenario): Promise<void> {
  const { Redis } = await import("ioredis");
  const client = new Redis(server.options);
  for (let from = 0; from < messages; from += FILL_STEP) {
    const pipeline = client.pipeline();
    for (let index = from; index < Math.min(from + FILL_STEP, messages); index++)
      pipeline.xadd(stream, "*", ...fields(index));
    await pipeline.exec();
  }
  client.disconnect();
}
