/** A group of real consumers that renew, hang, fail and dead-letter, and monitors that watch it. */
import { Consumer, type ConsumerOptions, type Handler } from "@redis-batch/consumer";
import {
  EventRecorder,
  eventually,
  type RedisServer,
  runWorker,
  type UsedServer,
  uniqueName,
  type WorkerProcess,
} from "@redis-batch/test-support";
import { afterEach } from "vitest";
import {
  type ConsumerReport,
  type GroupReport,
  Monitor,
  type MonitorEvent,
  type MonitorOptions,
} from "../src/index.ts";

export class RealGroup implements AsyncDisposable {
  readonly stream: string = uniqueName("stream");
  readonly group = "group";
  readonly server: RedisServer;
  readonly #open: AsyncDisposable[] = [];
  readonly #hanging = new AbortController();

  constructor(server: RedisServer) {
    this.server = server;
  }

  /** Starts a consumer; it ends with the test. */
  start(
    name: string,
    handler: Handler<Readonly<Record<string, string>>>,
    options: Partial<ConsumerOptions<Readonly<Record<string, string>>>> = {},
  ): Consumer {
    const { stream, group } = this;
    const consumer = new Consumer({
      ...{ redis: this.server.options, stream, group, name, leaseMs: 900, maxWaitMs: 50, batchSize: 5, drainMs: 100 },
      observer: () => {},
      ...options,
    });
    this.#open.push(consumer);
    consumer.run(handler).catch(() => {});
    return consumer;
  }

  /** A handler that does not end before the test does. */
  readonly hang = (): Promise<void> =>
    new Promise((resolve) => this.#hanging.signal.addEventListener("abort", () => resolve()));

  /** A monitor; it is closed with the test. */
  monitor(options: Partial<MonitorOptions> = {}): {
    readonly monitor: Monitor;
    readonly events: EventRecorder<MonitorEvent>;
  } {
    const events = new EventRecorder<MonitorEvent>();
    const { stream, group } = this;
    const monitor = new Monitor({ redis: this.server.options, stream, group, observer: events.observe, ...options });
    this.#open.push(monitor);
    return { monitor, events };
  }

  /** What a monitor says that has never looked before. */
  async firstLook(): Promise<GroupReport> {
    const { monitor } = this.monitor();
    return groupOf(monitor);
  }

  async command(...words: readonly (string | number)[]): Promise<unknown> {
    const [name = "", ...rest] = words;
    return this.server.command(String(name), ...rest);
  }

  /** Creates stream and group, as the first consumer would. */
  async create(position = "0"): Promise<void> {
    await this.command("XGROUP", "CREATE", this.stream, this.group, position, "MKSTREAM");
  }

  /** Adds messages in one command. */
  async add(count: number): Promise<void> {
    const script = "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'n', i) end";
    await this.command("EVAL", script, 1, this.stream, count);
  }

  /** Reads and acknowledges as a plain client does. */
  async workOff(consumer: string, count: number): Promise<void> {
    const script =
      "local got = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>') " +
      "if not got then return 0 end " +
      "for _, entry in ipairs(got[1][2]) do redis.call('XACK', KEYS[1], ARGV[1], entry[1]) end return #got[1][2]";
    await this.command("EVAL", script, 1, this.stream, this.group, consumer, count);
  }

  /** Starts a process whose consumer takes messages and hangs, and kills it once it has them. */
  async killOne(name: string, messages: number, leaseMs = 600): Promise<void> {
    await this.add(messages);
    const args = [this.server.url, this.stream, this.group, name, String(leaseMs)];
    const worker: WorkerProcess = await runWorker(new URL("consumer.worker.ts", import.meta.url), { args });
    await eventually("it holds them all", async () => (await this.pendingOf(name)) === messages);
    worker.kill("SIGKILL");
    await worker.exited;
  }

  async pendingOf(consumer: string): Promise<number> {
    const [, , , owners] = (await this.command("XPENDING", this.stream, this.group)) as [
      unknown,
      unknown,
      unknown,
      [string, string][] | null,
    ];
    return Number(owners?.find(([name]) => name === consumer)?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hanging.abort();
    await Promise.all(this.#open.splice(0).map((one) => one[Symbol.asyncDispose]()));
  }
}

/** What a monitor says of its one group. */
export async function groupOf(monitor: Monitor): Promise<GroupReport> {
  const [group] = (await monitor.inspect()).groups;
  if (group === undefined) throw new Error("the report has no group");
  return group;
}

export function consumerOf(group: GroupReport, name: string): ConsumerReport {
  const found = group.consumers.find(({ consumer }) => consumer === name);
  if (found === undefined) throw new Error(`the group has no consumer ${name}`);
  return found;
}

/** Makes a group per call; ends what it started after each test. */
export function useRealGroup(redis: UsedServer): () => RealGroup {
  const made: RealGroup[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((group) => group[Symbol.asyncDispose]()));
  });
  return () => {
    const group = new RealGroup(redis.server);
    made.push(group);
    return group;
  };
}
