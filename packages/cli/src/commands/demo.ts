import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { ConnectionError, Producer } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { describeMessages } from "@redis-batch/core/internal/errors";
import { bookkeepingKeys, groupKey } from "@redis-batch/core/internal/names";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import type { GroupReport, Monitor } from "@redis-batch/monitor";
import { Scaler } from "@redis-batch/scaler";
import type { Invocation, Run } from "../command.ts";
import { CONNECTION_OPTIONS } from "../command-line/global-options.ts";
import { findServer, withClient } from "../connection/open.ts";
import { OwnServer } from "../connection/own-server.ts";
import { Failure } from "../failure.ts";
import { isoTime } from "../point.ts";
import { groupReport } from "../render/group-report.ts";
import { renderSnapshot } from "../render/watch-line.ts";
import type { demo } from "../table/demo.ts";
import { askFirst } from "./ask-first.ts";
import { groupOf } from "./monitor.ts";
import { renderDecision } from "./scale.ts";
import { withMonitor } from "./with-monitor.ts";

type Call = Invocation<typeof demo>;

const GROUP = "demo";
const FIRST = "worker-1";
// Short, so that a crash is noticed during the tour.
const LEASE = "2s";
const POLL_EVERY_MS = 500;
const LONGEST_MS = 120_000;

export const run: Run<typeof demo> = async (call) => {
  const { options, terminal, signal } = call;
  if (options.json) throw new Failure("usage", "the tour is for people: it has no JSON output");
  await askFirst(call, await findServer(call), "adds messages to");
  await using own = (await isThere(call)) ? null : await OwnServer.start(terminal.env["PATH"] ?? "");
  const there: Call = own === null ? call : { ...call, options: { ...options, url: own.url } };
  if (own !== null) await terminal.write(`No server answers, so a temporary one was started: ${own.name}\n`);
  const stream = `rb-demo-${randomUUID().slice(0, 8)}`;
  await withClient(there, async (client) => {
    const workers: Worker[] = [];
    try {
      await new Tour(there, client, stream, workers).go();
    } finally {
      await Promise.all(workers.map((worker) => worker.end()));
      await client.unlink({ keys: [stream, groupKey("dead", stream, GROUP), ...bookkeepingKeys(stream, GROUP)] });
    }
  });
  return signal.aborted ? "interrupted" : "ok";
};

/** Whether a server answers. A wrong password, or an address given on purpose, is no reason to start our own. */
async function isThere(call: Call): Promise<boolean> {
  const { url, sentinel, context } = call.options;
  const server = await findServer(call);
  const isNamed = url !== undefined || sentinel !== undefined || context !== undefined;
  const options = {
    ...call.options,
    ...(isNamed ? {} : { "connect-timeout": Math.min(server.connectTimeoutMs, 1_000) }),
  };
  try {
    await withClient({ ...call, options }, (client) => client.time());
    return true;
  } catch (error) {
    const isAway = ConnectionError.is(error) || (error instanceof Failure && error.exit === "unreachable");
    if (isNamed || !isAway) throw error;
    return false;
  }
}

class Tour {
  readonly #call: Call;
  readonly #client: StreamClient;
  readonly #stream: string;
  readonly #workers: Worker[];

  constructor(call: Call, client: StreamClient, stream: string, workers: Worker[]) {
    this.#call = call;
    this.#client = client;
    this.#stream = stream;
    this.#workers = workers;
  }

  async go(): Promise<void> {
    const { options, signal } = this.#call;
    const args = { stream: this.#stream, group: GROUP };
    await this.#client.xgroupCreate({ ...args, position: "start" });
    await this.#say(`1. Add ${describeMessages(options.count)} to the stream ${this.#stream}`);
    await this.#produce();
    await this.#say("2. Ask the scaler how many consumers the group needs");
    await this.#decide();
    await this.#say("3. Start two workers, each with batches of 20");
    this.#workers.push(new Worker(this.#call, this.#stream, FIRST), new Worker(this.#call, this.#stream, "worker-2"));
    await withMonitor({ ...this.#call, args }, { graceMs: 0 }, async (monitor) => {
      await this.#until(monitor, (group) => {
        const first = group.consumers.find(({ consumer }) => consumer === FIRST);
        return (group.consumers.length === 2 && first !== undefined && first.pending > 0) || isDone(group);
      });
      if (signal.aborted) return;
      await this.#say("4. Look at the group with the monitor");
      const report = await monitor.inspect();
      await this.#call.terminal.report(groupReport(report, groupOf(report, { args })), false);
      await this.#say("5. Kill worker-1 (SIGKILL) while it holds messages; the monitor releases them to worker-2");
      this.#workers[0]?.kill();
      await this.#until(monitor, isDone, true);
    });
    if (!signal.aborted) await this.#conclude();
  }

  async #conclude(): Promise<void> {
    const args = { stream: this.#stream, group: GROUP };
    const [info] = await this.#client.xinfoGroups({ stream: args.stream });
    const dead = await this.#client.xlen({ stream: groupKey("dead", args.stream, GROUP) });
    const read = info?.entriesRead ?? 0;
    const isWhole = read === this.#call.options.count && info?.pending === 0 && dead === 0;
    await this.#say(
      `6. ${read} of ${this.#call.options.count} messages were delivered, ${info?.pending ?? "?"} are pending, ${dead} are dead letters`,
    );
    if (!isWhole) throw new Failure("failed", "messages are missing, which must not happen", "please report it");
    await this.#call.terminal.write(
      "   Nothing was lost. The messages that worker-1 had begun were processed again: at-least-once delivery.\n",
    );
  }

  async #produce(): Promise<void> {
    const { redis } = await findServer(this.#call);
    await using producer = new Producer({ redis, stream: this.#stream, observer: () => {} });
    await producer.addMany(
      Array.from({ length: this.#call.options.count }, (_, index) => ({ order: `A-${index + 1}` })),
    );
  }

  async #decide(): Promise<void> {
    const { redis } = await findServer(this.#call);
    await using scaler = new Scaler({ redis, stream: this.#stream, group: GROUP, observer: () => {} });
    await this.#call.terminal.write(`   ${renderDecision(await scaler.decide())}`);
  }

  /** Prints snapshots of the group until the condition holds. With `cleansUp`, also cleans up after dead consumers. */
  async #until(monitor: Monitor, isSo: (group: GroupReport) => boolean, cleansUp = false): Promise<void> {
    const { signal, terminal } = this.#call;
    const args = { stream: this.#stream, group: GROUP };
    const beganAtMs = systemClock.nowMs();
    while (!signal.aborted) {
      const report = await monitor.inspect();
      const group = groupOf(report, { args });
      await terminal.write(`   ${renderSnapshot(isoTime(report.atMs) ?? "", group)}`);
      if (isSo(group)) return;
      if (cleansUp) {
        for (const { from, messages } of (await monitor.cleanUp()).groups.flatMap(({ moves }) => moves)) {
          await terminal.write(
            `   ${describeMessages(messages)} of ${from} ${messages === 1 ? "was" : "were"} released for any consumer\n`,
          );
        }
      }
      if (systemClock.nowMs() - beganAtMs > LONGEST_MS)
        throw new Failure("failed", "the workers make no progress", "check whether the machine is overloaded");
      await pause(systemClock, POLL_EVERY_MS, signal);
    }
  }

  async #say(sentence: string): Promise<void> {
    await this.#call.terminal.write(`\n${this.#call.terminal.paint("strong", sentence)}\n`);
  }
}

const isDone = (group: GroupReport): boolean => group.pending === 0 && group.backlog.messages === 0;

/** `redis-batch consume` in its own process, with work that takes half a second per batch. */
class Worker {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #onExit = (): void => this.kill();

  constructor(call: Call, stream: string, name: string) {
    const work = `"${process.execPath}" -e "setTimeout(() => {}, 500)"`;
    const consume = [
      "consume",
      stream,
      GROUP,
      "--name",
      name,
      "--lease",
      LEASE,
      "--batch-size",
      "20",
      "--max-wait",
      "200ms",
    ];
    const [, program = ""] = process.argv;
    const args = [...process.execArgv, program, ...consume, "--exec", work, ...connectionArgs(call)];
    // In its own process group: on Ctrl-C we end it ourselves.
    this.#child = spawn(process.execPath, args, { stdio: "ignore", detached: true, env: { ...process.env } });
    this.#ended = once(this.#child, "exit");
    process.once("exit", this.#onExit);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async end(): Promise<void> {
    process.off("exit", this.#onExit);
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGTERM");
    await this.#ended;
  }
}

/** The connection options as they were given, for another process. */
function connectionArgs({ options }: Call): string[] {
  return Object.keys(CONNECTION_OPTIONS).flatMap((name) => {
    const value = options[name as keyof typeof CONNECTION_OPTIONS];
    if (value === undefined || value === false) return [];
    if (value === true) return [`--${name}`];
    return [`--${name}=${typeof value === "number" ? `${value}ms` : value}`];
  });
}
