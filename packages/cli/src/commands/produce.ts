import { createReadStream, openSync } from "node:fs";
import { type AddResult, ConnectionError, type EntryId, PayloadError, Producer, rawCodec } from "@redis-batch/core";
import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { readPartitions } from "@redis-batch/core/internal/groups";
import { systemClock } from "@redis-batch/core/internal/service";
import type { Invocation, Run } from "../command.ts";
import { findServer, type Server } from "../connection/open.ts";
import { EXIT_CODES, type ExitName } from "../exit-codes.ts";
import { BrokenPipe, Failure } from "../failure.ts";
import { Interrupted } from "../interrupts.ts";
import { type InputLine, readLines } from "../messages/lines.ts";
import { type FieldPair, parseMessageLine, readPairs } from "../messages/message-line.ts";
import { Pace } from "../messages/pace.ts";
import { escapeText, truncateText } from "../render/escape.ts";
import type { produce } from "../table/produce.ts";

type Call = Invocation<typeof produce>;

/** One message to add, and the line it came from. */
interface Item {
  readonly line: number;
  readonly fields: readonly FieldPair[];
}

// Only the first few are reported: a file of the wrong kind has a million.
const TOLD_SKIPS = 10;
const SHOWN_CHARACTERS = 120;

export const run: Run<typeof produce> = async (call) => {
  const { key, "key-field": keyField } = call.options;
  if (key !== undefined && keyField !== undefined)
    throw new Failure("usage", "--key and --key-field exclude each other");
  const tally = new Tally();
  const source = openSource(call);
  try {
    const items = readItems(source, call, tally);
    const failure = call.options["dry-run"] ? await check(items, call, tally, source) : await send(items, call, tally);
    call.terminal.endProgress();
    try {
      await call.terminal.report(tally.report(call.options["dry-run"]), call.options.json);
    } catch (error) {
      // A reader who has closed the output does not change the result.
      if (!(error instanceof BrokenPipe)) throw error;
    }
    if (failure !== undefined) throw failure;
    return tally.exit;
  } finally {
    call.terminal.endProgress();
    source.end();
  }
};

/** The progress through the input. */
class Tally {
  added = 0;
  duplicates = 0;
  skipped = 0;
  ready = 0;
  firstId: EntryId | null = null;
  lastId: EntryId | null = null;
  /** Lines that were read but are not confirmed, in order. */
  readonly open = new Set<number>();
  lastRead = 0;

  /** The first line that has not been handled. */
  get nextLine(): number {
    const [first = this.lastRead + 1] = this.open;
    return first;
  }

  take(result: Extract<AddResult, { kind: "added" }>): void {
    if (result.duplicate) this.duplicates++;
    else {
      this.added++;
      this.firstId ??= result.id;
      this.lastId = result.id;
    }
  }

  get exit(): ExitName {
    return this.skipped > 0 ? "usage" : "ok";
  }

  report(isDryRun: boolean) {
    return {
      facts: [
        ...(isDryRun
          ? ([{ key: "ready", title: "would be added", value: this.ready, unit: "count" }] as const)
          : ([
              { key: "added", value: this.added, unit: "count" },
              { key: "duplicates", title: "duplicates", value: this.duplicates, unit: "count" },
            ] as const)),
        { key: "skipped", value: this.skipped, unit: "count" } as const,
        ...(isDryRun
          ? []
          : [
              { key: "firstId", value: this.firstId },
              { key: "lastId", value: this.lastId },
            ]),
      ],
    };
  }
}

interface Source {
  readonly input:
    | { readonly kind: "arguments"; readonly fields: readonly FieldPair[] }
    | { readonly kind: "lines"; readonly lines: AsyncIterable<InputLine> };
  readonly end: () => void;
}

/** @throws {Failure} when there is nothing to read; checked before a server is needed */
function openSource({ args, options }: Call): Source {
  const pairs = args["field=value"];
  if (pairs.length > 0) {
    if (options.file !== undefined)
      throw new Failure("usage", "give the message as arguments or with --file, not both");
    const read = readPairs(pairs);
    if (read.kind === "malformed") throw new Failure("usage", `the arguments are not a message: ${read.why}`);
    return { input: { kind: "arguments", fields: read.fields }, end: () => {} };
  }
  const { file } = options;
  if (file === undefined && process.stdin.isTTY) {
    throw new Failure(
      "usage",
      "no message was given",
      "give field=value or --file, or pipe NDJSON in; `--file -` reads what you type",
    );
  }
  const stream = file === undefined || file === "-" ? process.stdin : createReadStream(file, { fd: open(file) });
  // The reader reports it, once it reads.
  stream.on("error", () => {});
  const lines = readLines(stream as AsyncIterable<Buffer>);
  return { input: { kind: "lines", lines }, end: () => void stream.destroy() };
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw unreadable(error);
  }
}

const unreadable = (error: unknown): Failure =>
  new Failure(
    "usage",
    `the input cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    "--file takes the path of a file; - is standard input",
  );

/** The messages of the input, in order. */
async function* readItems({ input }: Source, call: Call, tally: Tally): AsyncGenerator<Item, void, undefined> {
  const { options, terminal } = call;
  if (input.kind === "arguments") {
    yield { line: 1, fields: input.fields };
    return;
  }
  const format = { format: options.format, jsonField: options["json-field"] };
  try {
    for await (const line of input.lines) {
      tally.lastRead = line.number;
      if (line.number < options["from-line"] || line.text?.trim() === "") continue;
      const read =
        line.text === null
          ? ({ kind: "malformed", why: line.why ?? "" } as const)
          : parseMessageLine(line.text, format);
      if (read.kind === "message") {
        tally.open.add(line.number);
        yield { line: line.number, fields: read.fields };
        continue;
      }
      const complaint = `line ${line.number} is not a message: ${read.why}: ${shown(line.text ?? line.start ?? "")}`;
      if (!options["skip-invalid"]) {
        throw new Failure(
          "usage",
          complaint,
          `this line was not sent; fix it and continue with --from-line ${line.number}, or skip such lines with --skip-invalid`,
        );
      }
      tally.skipped++;
      if (tally.skipped <= TOLD_SKIPS) terminal.note(`skipped: ${complaint}`, "warn");
      if (tally.skipped === TOLD_SKIPS) terminal.note("more skipped lines will only be counted", "warn");
    }
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw unreadable(error);
    throw error;
  }
}

async function check(items: AsyncIterable<Item>, call: Call, tally: Tally, source: Source): Promise<Error | undefined> {
  const { signal } = call;
  // A person who types may take long for the next line.
  signal.addEventListener("abort", source.end);
  try {
    for await (const { line, fields } of items) {
      if (fields.length > 0) tally.ready++;
      tally.open.delete(line);
    }
    return signal.aborted ? interrupted(call, tally) : undefined;
  } catch (error) {
    return signal.aborted ? interrupted(call, tally) : asError(error);
  } finally {
    signal.removeEventListener("abort", source.end);
  }
}

/** Sends the messages → the error that ended it early. */
async function send(items: AsyncIterable<Item>, call: Call, tally: Tally): Promise<Error | undefined> {
  const { args, options, terminal, signal } = call;
  const server = await findServer(call);
  const partitions = options.partitions ?? (await knownPartitions(call, server, tally));
  const producer = openProducer(server, { stream: args.stream, partitions }, options);
  // Messages in transit, by their position in the source: this limits how far it reads ahead.
  const lineOf = new Map<number, number>();
  const pace = new Pace(options.rate, systemClock);
  let index = 0;
  async function* paced() {
    for await (const item of items) {
      await pace.next(signal);
      lineOf.set(index++, item.line);
      yield item.fields;
    }
  }
  const keyField = options["idempotency-field"];
  const orderKey = keyMaker(options);
  let isConnected = false;
  try {
    await producer.connect({ signal });
    isConnected = true;
    call.onSecond(() => {
      const { message, fix } = interrupted(call, tally);
      const underWay = tally.open.size;
      const perhaps = `; the server has not confirmed ${underWay} of the lines from there on, and may have added them`;
      const { code } = EXIT_CODES.interrupted;
      const whole = fix === undefined || underWay === 0 ? fix : `${fix}${perhaps}`;
      terminal.complain({ code, message, fix: whole }, options.json);
    });
    const results = producer.addEach(paced(), {
      signal,
      stopOnError: true,
      ...(keyField === undefined ? {} : { idempotencyKey: (fields: readonly FieldPair[]) => keyOf(fields, keyField) }),
      ...(orderKey === undefined ? {} : { key: orderKey }),
    });
    for await (const result of results) {
      const line = lineOf.get(result.index) ?? 0;
      lineOf.delete(result.index);
      if (result.kind === "failed") return refusal(result, line, server);
      tally.take(result);
      tally.open.delete(line);
      terminal.progress(`${tally.added + tally.duplicates} added, ${tally.skipped} skipped`);
    }
    return undefined;
  } catch (error) {
    const failure = error instanceof Interrupted ? interrupted(call, tally) : asError(server.explain(error));
    // Without a connection there is nothing to report of.
    if (!isConnected) throw failure;
    return failure;
  } finally {
    await producer.close();
  }
}

/** A stream that has partitions must not get a plain stream of its name beside them. */
async function knownPartitions(call: Call, server: Server, tally: Tally): Promise<number | undefined> {
  const { args, signal } = call;
  const client = createRedisStreamClient({ redis: server.redis, blockMs: 0, report: server.observe });
  try {
    await client.connect(["commands"], { timeoutMs: server.connectTimeoutMs, signal });
    return (await readPartitions(client, args.stream))?.length;
  } catch (error) {
    throw error instanceof Interrupted ? interrupted(call, tally) : server.explain(error);
  } finally {
    await client.close();
  }
}

function openProducer(
  server: Server,
  where: { readonly stream: string; readonly partitions: number | undefined },
  options: Call["options"],
): Producer<readonly FieldPair[]> {
  const { "wait-for-replicas": count, "replica-timeout": timeoutMs } = options;
  const waitForReplicas = count === undefined ? undefined : { count, timeoutMs };
  const { redis, connectTimeoutMs, observe: observer } = server;
  const codec = {
    encode: (fields: readonly FieldPair[]) => fields,
    decode: (raw: readonly Buffer[]) => rawCodec.decode(raw),
  };
  const queueTimeoutMs = connectTimeoutMs;
  return new Producer({ redis, ...where, codec, connectTimeoutMs, queueTimeoutMs, observer, waitForReplicas });
}

/** What says which partition a message goes to; `undefined`: nothing does. */
function keyMaker(options: Call["options"]): ((fields: readonly FieldPair[]) => string) | undefined {
  const { key, "key-field": field } = options;
  if (key !== undefined) return () => key;
  return field === undefined ? undefined : (fields) => keyOf(fields, field);
}

function keyOf(fields: readonly FieldPair[], keyField: string): string {
  const value = fields.find(([name]) => String(name) === keyField)?.[1];
  if (value === undefined || value.length === 0) throw new PayloadError(`it has no field "${keyField}"`);
  return String(value);
}

function refusal(result: Extract<AddResult, { kind: "failed" }>, line: number, server: Server): Error {
  const { error } = result;
  const isUnknown = ConnectionError.is(error) && error.outcome === "unknown";
  if (PayloadError.is(error)) {
    return new Failure("usage", `line ${line}: ${error.message}`, `fix it, and continue with --from-line ${line}`);
  }
  if (!ConnectionError.is(error)) return error;
  const fix = isUnknown
    ? `line ${line} may or may not have been added: check with \`redis-batch tail\` before you continue with --from-line ${line}; with --idempotency-field, just repeat the command`
    : `continue with --from-line ${line}`;
  return new Failure("unreachable", `line ${line}: ${(server.explain(error) as Error).message}`, fix);
}

function interrupted({ args, options }: Call, { nextLine }: Tally): Failure {
  const what = "interrupted before the end of the input";
  const isFile = options.file !== undefined && options.file !== "-";
  if (args["field=value"].length > 0) return new Failure("interrupted", what);
  const how = isFile ? "continue with" : "give the same input again, with";
  return new Failure("interrupted", what, `${how} --from-line ${Math.max(nextLine, options["from-line"])}`);
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const shown = (text: string): string => escapeText(truncateText(text, SHOWN_CHARACTERS));
