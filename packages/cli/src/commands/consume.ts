import { type Batch, Consumer, type ConsumerEvent, type Message, NoGroupError } from "@redis-batch/consumer";
import { ConfigError, isEntryId } from "@redis-batch/core";
import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { describeCount, describeMessages } from "@redis-batch/core/internal/errors";
import { readPartitions } from "@redis-batch/core/internal/groups";
import type { Invocation, Run } from "../command.ts";
import { findServer, type Server } from "../connection/open.ts";
import type { ExitName } from "../exit-codes.ts";
import { BrokenPipe, Failure } from "../failure.ts";
import { messageLine, messageValue, type ShownMessage } from "../messages/message-json.ts";
import { type OutcomeLine, parseOutcomeLine } from "../messages/outcome-line.ts";
import { encodeJson, typedName } from "../render/escape.ts";
import type { consume } from "../table/consume.ts";
import { runCommand } from "./run-command.ts";

type Call = Invocation<typeof consume>;
type Fields = Readonly<Record<string, string>>;

// With --ack never this consumer keeps everything it has read, in memory, until the end. For that it must be redelivered
// often: a message deferred for longer than this, or half a lease, is deferred for every consumer of the group.
const MOST_UNACKNOWLEDGED = 10_000;
const KEPT_MS = 5_000;
const DEFAULT_LEASE_MS = 60_000;

export const run: Run<typeof consume> = async (call) => {
  const { args, options, signal, terminal } = call;
  refuseContradictions(call);
  const server = await findServer(call);
  const known = await lookAtGroups(call, server);
  const stop = new Stop(signal, options["idle-exit"]);
  const consumer = new Consumer({
    ...consumerOptions(call, server, known),
    signal: stop.signal,
    observer: (event) => {
      // Messages that were read soon become a batch: until it has been processed, the consumer is not idle.
      if (event.type === "read" && event.messages > 0) stop.busy();
      if (event.type === "started") stop.awake();
      server.observe(event);
      noteProblem(event, terminal, args.streams.length > 1);
    },
  });
  const work = new Work(call, stop, () => {
    consumer.pause();
    terminal.note(`${MOST_UNACKNOWLEDGED} messages are unacknowledged: reading stops`, "warn");
  });
  try {
    const report = await consumer.run((batch, context) => work.on(batch, context.signal), { signal: stop.signal });
    if (report.unconfirmedAcks > 0) {
      terminal.note(
        `${report.unconfirmedAcks} acknowledgements were not confirmed: these messages may be redelivered`,
        "warn",
      );
    }
  } catch (error) {
    throw occupied(error, options["order-by"] !== undefined) ?? server.explain(error);
  } finally {
    stop.end();
  }
  return work.exit();
};

/** When to stop: on request, after enough messages, when idle, or when nobody reads the output. */
class Stop {
  readonly #aborter = new AbortController();
  readonly #idleMs: number | undefined;
  readonly #onInterrupt = (): void => this.now();
  readonly #interrupt: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  constructor(interrupt: AbortSignal, idleMs: number | undefined) {
    this.#interrupt = interrupt;
    this.#idleMs = idleMs;
    interrupt.addEventListener("abort", this.#onInterrupt);
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  now(): void {
    this.#aborter.abort();
  }

  /** No batch is being processed: the idle time begins. */
  awake(): void {
    clearTimeout(this.#timer);
    if (this.#idleMs !== undefined) this.#timer = setTimeout(() => this.now(), this.#idleMs);
  }

  /** Messages have arrived or are being processed, however long that takes. */
  busy(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#interrupt.removeEventListener("abort", this.#onInterrupt);
  }
}

/** Processes each batch. */
class Work {
  readonly #call: Call;
  readonly #stop: Stop;
  readonly #onEnough: () => void;
  /** Messages that were processed and are redelivered, because nothing is acknowledged: by stream and id. */
  readonly #seen = new Set<string>();
  #left: number;
  #failed = 0;
  #fault: Error | undefined;

  /** @param onEnough called when no more can be held without an acknowledgement */
  constructor(call: Call, stop: Stop, onEnough: () => void) {
    this.#call = call;
    this.#stop = stop;
    this.#onEnough = onEnough;
    this.#left = call.options.count ?? Number.POSITIVE_INFINITY;
  }

  async on(batch: Batch<Fields>, signal: AbortSignal): Promise<void> {
    // After the last message, or after a fault: later batches are released untouched.
    if (this.#left === 0 || this.#fault !== undefined) return;
    const messages = batch.messages.filter((message) => !this.#seen.has(keyOf(message))).slice(0, this.#left);
    if (messages.length === 0) return;
    this.#stop.busy();
    if (this.#call.options.ack === "never") this.#remember(messages);
    this.#left -= messages.length;
    if (this.#left === 0) this.#stop.now();
    try {
      await (this.#call.options.exec === undefined
        ? this.#print(messages)
        : this.#execute(messages, this.#call.options.exec, signal));
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(String(error));
      this.#stop.now();
    }
    this.#stop.awake();
  }

  exit(): ExitName {
    if (this.#fault !== undefined && !(this.#fault instanceof BrokenPipe)) throw this.#fault;
    return this.#failed > 0 ? "failed" : "ok";
  }

  #remember(messages: readonly Message<Fields>[]): void {
    for (const message of messages) this.#seen.add(keyOf(message));
    if (this.#seen.size >= MOST_UNACKNOWLEDGED) this.#onEnough();
  }

  async #print(messages: readonly Message<Fields>[]): Promise<void> {
    const { ack, batches } = this.#call.options;
    if (ack === "always") for (const message of messages) message.ack();
    await this.#call.terminal.write(this.#textOf(messages, batches));
    if (ack === "on-success") for (const message of messages) message.ack();
  }

  async #execute(messages: readonly Message<Fields>[], command: string, signal: AbortSignal): Promise<void> {
    const { options, terminal, args } = this.#call;
    const named = new Map<string, OutcomeLine>();
    const ids = new Set(messages.map(({ id }) => id));
    const onLine = (line: string): void => {
      const outcome = parseOutcomeLine(line);
      if (outcome !== undefined && ids.has(outcome.id)) named.set(outcome.id, outcome);
      else terminal.note(`not an outcome of a message of this batch: ${line}`, "warn");
    };
    const end = await runCommand({
      command,
      input: this.#textOf(messages, options.batches),
      onLine: options.outcomes ? onLine : undefined,
      env: {
        REDIS_BATCH_STREAM: messages[0]?.stream ?? "",
        REDIS_BATCH_GROUP: args.group,
        REDIS_BATCH_SIZE: String(messages.length),
      },
      signal,
    });
    if (!end.isSuccess) terminal.note(`the command failed on a batch of ${messages.length}: ${end.why}`, "warn");
    if (options.ack === "never") return;
    for (const message of messages) this.#settle(message, named.get(message.id), end);
  }

  #textOf(messages: readonly Message<Fields>[], isOneLine: boolean): string {
    const shown = messages.map((message) => this.#shown(message));
    return isOneLine ? `${encodeJson(shown.map(messageValue))}\n` : shown.map(messageLine).join("");
  }

  #shown(message: Message<Fields>): ShownMessage {
    const { id, stream, deliveries } = message;
    const raw = [...message.entries()].flat();
    return { ...(this.#call.args.streams.length > 1 ? { stream } : {}), id, deliveries, raw };
  }

  #settle(
    message: Message<Fields>,
    outcome: OutcomeLine | undefined,
    end: Awaited<ReturnType<typeof runCommand>>,
  ): void {
    const { options } = this.#call;
    const isDone = outcome === undefined ? end.isSuccess : outcome.kind === "ack";
    if (options.ack === "always" || isDone) return message.ack();
    this.#failed++;
    const reason =
      outcome !== undefined && outcome.kind !== "ack" && outcome.reason !== "" ? outcome.reason : undefined;
    const why = reason ?? (end.isSuccess ? "the command asked for it" : `the command failed: ${end.why}`);
    if (outcome?.kind === "dead-letter" || options["dead-letter"]) message.deadLetter(why);
    else message.retry({ reason: why });
  }
}

/** An id is unique within its stream only. */
const keyOf = ({ stream, id }: Message<Fields>): string => `${id} ${stream}`;

function refuseContradictions({ options }: Call): void {
  if (options.outcomes && options.exec === undefined) {
    throw new Failure("usage", "--outcomes reads a command's output", "give the command with --exec");
  }
  if (options["dead-letter"] && options.exec === undefined) {
    throw new Failure(
      "usage",
      "--dead-letter applies to messages that a command fails on",
      "give the command with --exec",
    );
  }
  if (options["order-scope"] !== undefined && options["order-by"] === undefined) {
    throw new Failure("usage", "--order-scope is of no use without --order-by", "give the field with --order-by");
  }
  if (options["order-by"] !== undefined && options.ack === "never") {
    throw new Failure(
      "usage",
      "--order-by with --ack never would print the first message of each key only: the others wait for its acknowledgement",
      "leave one of them out",
    );
  }
  const { create = "start" } = options;
  if (!["start", "end"].includes(create) && !isEntryId(create)) {
    throw new Failure("usage", "--create must be start, end or an entry id such as 1700000000000-0");
  }
}

/** Somebody else is in a group that one consumer has for itself: then the group's state is wrong, and no option. */
function occupied(error: unknown, isOrdered: boolean): Failure | undefined {
  if (!ConfigError.is(error) || !error.message.startsWith("the consumer ")) return undefined;
  const problem = error.problems.join("; ");
  const said = problem.replace("orderBy", "--order-by").replace('orderScope: "consumer"', "--order-scope consumer");
  return new Failure("refused", isOrdered ? said : problem);
}

function refuseMissing(error: unknown, stream: string, { group, streams }: Call["args"]): never {
  if (!NoGroupError.is(error)) throw error;
  throw new Failure(
    "missing",
    `the stream "${stream}" has no group "${group}"`,
    "--create start creates it and starts with the oldest message; --create end starts with messages added from now on" +
      (streams.length > 1 ? "; a comma that belongs to the name of a stream is typed \\x2c" : ""),
  );
}

/**
 * Checks that each stream has the group, so that a mistyped name creates no stream, and reads the length of the leases: of
 * several groups the shortest, as what is left by a consumer that dies should be taken over as soon as their users expect.
 */
async function lookAtGroups(
  call: Call,
  server: Server,
): Promise<{ readonly leaseMs: number | undefined; readonly partitions: number | undefined }> {
  const { args, options, signal } = call;
  const client = createRedisStreamClient({ redis: server.redis, blockMs: 0, report: server.observe });
  try {
    await client.connect(["commands"], { timeoutMs: server.connectTimeoutMs, signal });
    const leases: number[] = [];
    const [only = ""] = args.streams;
    const partitions = args.streams.length > 1 ? null : await readPartitions(client, only);
    for (const stream of partitions ?? args.streams) {
      const address = { stream, group: args.group };
      if (options.create === undefined) {
        await client.xpendingSummary(address).catch((error) => refuseMissing(error, stream, args));
      }
      const [registered] = (await client.registry(address)).values();
      if (registered !== undefined) leases.push(registered.leaseMs);
    }
    const leaseMs = options.lease ?? (leases.length === 0 ? undefined : Math.min(...leases));
    return { leaseMs, partitions: partitions?.length };
  } catch (error) {
    throw server.explain(error);
  } finally {
    await client.close();
  }
}

function consumerOptions(
  { args, options }: Call,
  server: Server,
  { leaseMs, partitions }: { readonly leaseMs: number | undefined; readonly partitions: number | undefined },
) {
  const batchSize = Math.min(options["batch-size"], options.count ?? Number.POSITIVE_INFINITY);
  const { create: position, "order-by": orderBy, "order-scope": orderScope } = options;
  const isKept = options.ack === "never";
  const keptMs = Math.min(KEPT_MS, Math.floor((leaseMs ?? DEFAULT_LEASE_MS) / 2));
  return {
    redis: server.redis,
    ...(partitions === undefined ? { streams: args.streams } : { stream: args.streams[0], partitions }),
    group: args.group,
    batchSize,
    maxWaitMs: options["max-wait"],
    orderBy,
    orderScope,
    // Messages that are read ahead would only have to be released.
    prefetch: options.count === undefined ? 1 : 0,
    connectTimeoutMs: server.connectTimeoutMs,
    maxDeliveries: isKept ? 1_000_000 : options["max-deliveries"],
    ...(isKept
      ? {
          retry: { baseMs: keptMs, capMs: keptMs },
          maxDeferred: Math.max(MOST_UNACKNOWLEDGED, batchSize),
        }
      : {}),
    ...(position === undefined ? {} : { startFrom: position, recreateFrom: position }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  };
}

/** Reports problems on standard error: of several streams with the name of the one that has it. */
function noteProblem(event: ConsumerEvent, terminal: Call["terminal"], isOfSeveral: boolean): void {
  const whose = isOfSeveral && "stream" in event ? `${typedName(event.stream)}: ` : "";
  const note = (text: string, kind?: "warn"): void => terminal.note(`${whose}${text}`, kind);
  switch (event.type) {
    case "disconnected":
      if (event.reason !== "closed") note(`the connection is lost (${event.reason}); reconnecting`, "warn");
      return;
    case "streamFailed":
      return note(`${event.error.message}; the other streams go on, this one is tried again`, "warn");
    case "streamResumed":
      return note("it is worked on again");
    case "readFailed":
    case "ackFailed":
    case "renewFailed":
    case "releaseFailed":
    case "recoveryFailed":
    case "deadLetterFailed":
    case "heartbeatFailed":
      return note(`${event.error.message}; retrying`, "warn");
    case "outcomeTooLate":
      return note(
        `${describeMessages(event.ids.length)} no longer ${event.ids.length === 1 ? "belongs" : "belong"} to this consumer (${event.why})`,
        "warn",
      );
    case "deadLettered":
      return note(`${event.id} went to the dead letters (${event.why})`);
    case "outOfOrder":
      return note(`${event.id} was acknowledged before ${event.after}, an earlier message of its key`, "warn");
    case "pendingTrimmed":
      return note(
        `${describeCount(event.ids.length, "pending message")} ${event.ids.length === 1 ? "was" : "were"} deleted from the stream before being processed`,
        "warn",
      );
    case "heldTooLong":
      return note(
        `a batch has been in processing for ten leases: its ${describeMessages(event.messages)} ${event.messages === 1 ? "goes" : "go"} to other consumers`,
        "warn",
      );
    case "backingOff":
      return note(
        `every batch fails: trying one message at a time, the next in ${Math.round(event.retryInMs / 1_000)} s`,
        "warn",
      );
    default:
      return;
  }
}
