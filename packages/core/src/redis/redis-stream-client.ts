/** The ioredis side of the port. Two connections: reads block, and must not delay the acknowledgements. */
import { createHash } from "node:crypto";
import { CommandError, PermissionError } from "../errors/errors.ts";
import { nullIfForbidden, unlessRefused } from "../errors/null-if-forbidden.ts";
import { decodeRegistry, type Registry } from "../groups/consumer-registry.ts";
import { SCRIPTS } from "../lua/scripts.generated.ts";
import type { EntryId } from "../names/entry-id.ts";
import { groupKey } from "../names/keys.ts";
import { type Clock, systemClock } from "../service/clock.ts";
import { type Random, systemRandom } from "../service/random.ts";
import type {
  AddOutcome,
  ConnectionEvent,
  ConnectionRole,
  ServerReport,
  StreamClient,
  WaitForReplicas,
} from "../stream-client.ts";
import { type AclDryRunOptions, aclDryRun, aclWhoAmI } from "../wire/acl-dry-run.ts";
import { type AckOwnedResult, ackOwned } from "../wire/atomic/ack-owned.ts";
import { type AddOnceOptions, type AddOnceResult, addOnce } from "../wire/atomic/add-once.ts";
import { type AdoptedPage, type AdoptPendingOptions, adoptPending } from "../wire/atomic/adopt-pending.ts";
import { type CountHangOptions, countHang } from "../wire/atomic/count-hang.ts";
import { type Deletion, deleteIfAllGroupsDone } from "../wire/atomic/delete-if-all-groups-done.ts";
import { type ForgetDueOptions, forgetDue } from "../wire/atomic/forget-due.ts";
import { type HandOver, type HandOverOptions, handOver } from "../wire/atomic/hand-over.ts";
import { type HandOverPage, type HandOverPageOptions, handOverPage } from "../wire/atomic/hand-over-page.ts";
import { type HeartbeatOptions, type HeartbeatResult, heartbeat } from "../wire/atomic/heartbeat.ts";
import { type HoldLeaseOptions, holdLease, type LeaseAnswer } from "../wire/atomic/hold-lease.ts";
import { type HoldPartitionOptions, holdPartition, type Ownership } from "../wire/atomic/hold-partition.ts";
import { type MayCallOptions, mayCall } from "../wire/atomic/may-call.ts";
import {
  type MoveToDeadLettersOptions,
  type MoveToDeadLettersResult,
  moveToDeadLetters,
} from "../wire/atomic/move-to-dead-letters.ts";
import { mergeEnds, type OwnMessages } from "../wire/atomic/own-messages.ts";
import { type PauseChange, type PauseGroupOptions, pauseGroup } from "../wire/atomic/pause-group.ts";
import { type ReadDueOptions, type ReadDueResult, readDue } from "../wire/atomic/read-due.ts";
import { type OwnedRead, type ReadOwnedOptions, readOwned } from "../wire/atomic/read-owned.ts";
import { type RedeliverOwnOptions, type RedeliverOwnResult, redeliverOwn } from "../wire/atomic/redeliver-own.ts";
import { type Redrive, type RedriveLetterOptions, redrive } from "../wire/atomic/redrive.ts";
import { type ReleaseOptions, type ReleaseResult, release } from "../wire/atomic/release.ts";
import {
  type Removal,
  type RemoveIfEmptyOptions,
  removeFromGroup,
  removeIfEmpty,
} from "../wire/atomic/remove-if-empty.ts";
import { type Renewal, renewOwned } from "../wire/atomic/renew-owned.ts";
import { type Reservation, type ReserveRateOptions, reserveRate } from "../wire/atomic/reserve-rate.ts";
import { type ScheduleLaterOptions, scheduleLater } from "../wire/atomic/schedule-later.ts";
import { type SetRateOptions, setRate } from "../wire/atomic/set-rate.ts";
import { type TakeOptions, type TakeResult, take } from "../wire/atomic/take.ts";
import { type SafeTrim, type TrimToSafePointOptions, trimToSafePoint } from "../wire/atomic/trim-to-safe-point.ts";
import { type WriteInTermOptions, writeInTerm } from "../wire/atomic/write-in-term.ts";
import type { Command } from "../wire/command.ts";
import { commandInfo } from "../wire/command-info.ts";
import { configGet } from "../wire/config-get.ts";
import type { StreamEntries, StreamEntry } from "../wire/entry.ts";
import { get } from "../wire/get.ts";
import { hdel } from "../wire/hdel.ts";
import { hgetall } from "../wire/hgetall.ts";
import { info } from "../wire/info.ts";
import { inParts } from "../wire/parts.ts";
import { probeCommand, type SentCommand } from "../wire/probe-command.ts";
import type { RateLimit } from "../wire/rate-limit.ts";
import { type ScanStreamsOptions, type StreamPage, scanStreams } from "../wire/scan-streams.ts";
import type { Script, ScriptInParts } from "../wire/script.ts";
import { type SetIfFreeOptions, setIfFree } from "../wire/set-if-free.ts";
import { type SetOnceOptions, setOnce } from "../wire/set-once.ts";
import { time } from "../wire/time.ts";
import { type TouchConsumerOptions, touchConsumer } from "../wire/touch-consumer.ts";
import { unlink } from "../wire/unlink.ts";
import { wait } from "../wire/wait.ts";
import { type XackOptions, xack, xackBytes } from "../wire/xack.ts";
import { type XackdelOptions, xackdel } from "../wire/xackdel.ts";
import { type XaddOptions, xadd } from "../wire/xadd.ts";
import { xdel } from "../wire/xdel.ts";
import {
  type XgroupCreateConsumerOptions,
  type XgroupCreateOptions,
  xgroupCreate,
  xgroupCreateConsumer,
  xgroupDestroy,
  xgroupSetId,
} from "../wire/xgroup.ts";
import {
  type ConsumerInfo,
  type GroupInfo,
  type StreamInfo,
  xinfoConsumers,
  xinfoGroups,
  xinfoStream,
} from "../wire/xinfo.ts";
import { xlen } from "../wire/xlen.ts";
import {
  type PendingEntry,
  type PendingSummary,
  type XpendingRangeOptions,
  xpendingRange,
  xpendingSummary,
} from "../wire/xpending.ts";
import { type XrangeOptions, xrange } from "../wire/xrange.ts";
import type { XreadOptions } from "../wire/xread.ts";
import type { XreadgroupManyOptions, XreadgroupOptions } from "../wire/xreadgroup.ts";
import { xrevrange } from "../wire/xrevrange.ts";
import { zcount } from "../wire/zcount.ts";
import { zmscore } from "../wire/zmscore.ts";
import { Connection } from "./connection.ts";
import { type CredentialsFunction, createLoginSource } from "./credentials.ts";
import { type Actor, explainPermission } from "./explain-permission.ts";
import { logInWith } from "./ioredis-internals/log-in.ts";
import { noteHistories } from "./ioredis-internals/replication-history.ts";
import { copySource, openClient, type RedisSource, type ServerSource } from "./open-client.ts";
import type { RedisClient } from "./redis-client.ts";
import {
  handOverPageInSteps,
  isHalfMoved,
  moveToDeadLettersInSteps,
  removeIfEmptyInSteps,
} from "./single-key-steps.ts";
import { heldBy, isStandIn } from "./stand-in.ts";
import { StreamReaders } from "./stream-readers.ts";

export interface RedisStreamClientOptions {
  readonly redis: RedisSource;
  /** Asked before each connection. */
  readonly credentials?: CredentialsFunction | undefined;
  /** The longest `blockMs` of a read: longer silence means that the connection is dead. */
  readonly blockMs: number;
  /** How much longer than the block time a reply may take before the connection counts as dead; 15 s by default. */
  readonly silenceMs?: number;
  /** What refused commands are explained by. */
  readonly actor?: Actor;
  readonly report?: (event: ConnectionEvent) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  /**
   * Which decoder reads the entries: this package's (the default), or ioredis's. The entries are the same.
   */
  readonly decoder?: "own" | "ioredis";
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

type ScriptName = keyof typeof SCRIPTS;
const DIGESTS = Object.fromEntries(
  Object.entries(SCRIPTS).map(([name, lua]) => [name, createHash("sha1").update(lua).digest("hex")]),
) as Record<ScriptName, string>;

/** What is known about the server behind one of the commands' connections. */
interface ScriptState {
  readonly epoch: number;
  /** Scripts that were sent to it in full. */
  readonly loaded: Set<ScriptName>;
  eval: "offered" | "not-offered";
  evalsha: "offered" | "not-offered";
}

const scriptsOf = (epoch: number): ScriptState => ({
  ...{ epoch, loaded: new Set(), eval: "offered", evalsha: "offered" },
});

/** The result, or if only some of the keys have been moved to another node, that of single-key steps. */
async function orInSteps<Result>(whole: Promise<Result>, inSteps: () => Promise<Result>): Promise<Result> {
  try {
    return await whole;
  } catch (error) {
    if (!isHalfMoved(error)) throw error;
    return inSteps();
  }
}

/** The first result, or if there is none, the first error. */
async function firstOf<Result>(asked: readonly Promise<Result>[]): Promise<Result | undefined> {
  try {
    return await Promise.any(asked);
  } catch {
    return asked[0];
  }
}

/** Whether the script itself was refused, not a command inside it. */
function isNotRun(error: unknown): boolean {
  return PermissionError.is(error) && !error.message.includes("user_script");
}

/**
 * Creates a client on top of ioredis, or a client of the stand-in that is given. Does no I/O before `connect`.
 *
 * @throws {ConfigError} when `redis` cannot be used
 */
export function createRedisStreamClient(options: RedisStreamClientOptions): StreamClient {
  const { redis } = options;
  return isStandIn(redis) ? heldBy(redis).createClient(options) : new RedisStreamClient({ ...options, redis });
}

class RedisStreamClient implements StreamClient {
  readonly #actor: Actor | undefined;
  readonly #commands: Connection;
  readonly #readers: StreamReaders;
  #scripts = scriptsOf(-1);

  constructor(options: RedisStreamClientOptions & { readonly redis: ServerSource }) {
    const { redis, credentials, blockMs, silenceMs, actor, report = () => {}, ...edge } = options;
    this.#actor = actor;
    const { clock = systemClock, random = systemRandom, decoder = "own" } = edge;
    const source = copySource(redis);
    const logins = createLoginSource(source, credentials, clock);
    const isAsked = credentials !== undefined;
    const open = (
      role: ConnectionRole,
      onClient: (client: RedisClient) => void,
      tell: (event: ConnectionEvent) => void,
    ): Connection => {
      const create = (): RedisClient => {
        const client = openClient(source, { role, blockMs, silenceMs, random });
        logInWith(logins, client);
        if (role === "commands") noteHistories(client);
        onClient(client);
        return client;
      };
      return new Connection({ create, role, isAsked, clock, random, report: tell });
    };
    // Created at once, but not opened, so that an unusable `redis` option is reported by the constructor.
    this.#commands = open("commands", () => {}, report);
    this.#readers = new StreamReaders({
      ...{ clock, report, isTapped: decoder === "own", commands: this.#commands },
      open: (onClient, tell) => open("reader", onClient, tell),
    });
  }

  readerEpoch(stream: string): number {
    return this.#readers.of(stream).connection.epoch;
  }

  readTogether(streams: readonly string[]): readonly (readonly string[])[] {
    return this.#readers.together(streams);
  }

  async connect(
    roles: readonly ConnectionRole[],
    { timeoutMs, signal, stream }: { timeoutMs: number; signal?: AbortSignal | undefined; stream?: string | undefined },
  ): Promise<void> {
    const readers = this.#readers;
    const connectionOf = (role: ConnectionRole): Connection => {
      if (role === "commands") return this.#commands;
      return (stream === undefined ? readers.first : readers.of(stream)).connection;
    };
    await this.#explained(Promise.all(roles.map((role) => connectionOf(role).ready(timeoutMs, signal))));
  }

  async close(): Promise<void> {
    this.#commands.close();
    this.#readers.close();
  }

  async xaddMany(items: readonly XaddOptions[]): Promise<readonly AddOutcome[]> {
    const ends = await this.#commands.callMany(
      xadd.name,
      items.map((item) => xadd.encode(item)),
    );
    return ends.map(({ reply, error }, index) =>
      error === undefined
        ? xadd.decode(reply, items[index] as XaddOptions)
        : (explainPermission(error, this.#actor) as typeof error),
    );
  }

  followAdds(): WaitForReplicas {
    const callBehind = this.#commands.followCalls();
    return async (options) => wait.decode(await this.#explained(callBehind(wait.name, wait.encode(options))), options);
  }

  async assertMayWait(): Promise<void> {
    const asked = this.#commands.servers.map(async (server) => {
      try {
        await server(wait.name, wait.encode({ count: 0, timeoutMs: 1 }));
      } catch (error) {
        if (PermissionError.is(error)) return explainPermission(error, this.#actor) as PermissionError;
        // A replica refuses it for another reason.
        if (!CommandError.is(error)) throw error;
      }
      return undefined;
    });
    // Of a Cluster the first master that answers: others may be away, and need not be the stream's.
    const refusal = await firstOf(asked);
    if (refusal !== undefined) throw refusal;
  }

  xlen(options: { readonly stream: string }): Promise<number> {
    return this.#send(xlen, options);
  }

  xrange(options: XrangeOptions): Promise<readonly StreamEntry[]> {
    return this.#send(xrange, options);
  }

  xrevrange(options: XrangeOptions): Promise<readonly StreamEntry[]> {
    return this.#send(xrevrange, options);
  }

  xdel(options: { readonly stream: string; readonly ids: readonly EntryId[] }): Promise<number> {
    return this.#sendInParts(xdel, options, sum);
  }

  async xreadgroup({ stream, ...options }: XreadgroupOptions, signal?: AbortSignal): Promise<readonly StreamEntry[]> {
    const [read] = await this.xreadgroupMany({ ...options, streams: [stream] }, signal);
    return read?.entries ?? [];
  }

  xreadgroupMany(options: XreadgroupManyOptions, signal?: AbortSignal): Promise<readonly StreamEntries[]> {
    const reader = this.#readers.of(options.streams[0] ?? "");
    return this.#explained(reader.read(options, signal));
  }

  xread(options: XreadOptions, signal?: AbortSignal): Promise<readonly string[]> {
    const [stream = ""] = options.positions.keys();
    return this.#explained(this.#readers.of(stream).wait(options, signal));
  }

  /** Beside the reads where it gets through there: then both are often one write, and one answer. */
  async xack(options: XackOptions): Promise<number> {
    const counts: number[] = [];
    for (const ids of inParts(options.ids)) {
      const part = { ...options, ids };
      counts.push(xack.decode(await this.#explained(this.#sendXack(part)), part));
    }
    return sum(counts);
  }

  #sendXack(options: XackOptions): Promise<unknown> {
    const reader = this.#readers.freeFor(options.stream);
    if (reader === undefined) return this.#commands.call(xack.name, xack.encode(options));
    const bytes = reader.takesBytes ? xackBytes(options) : undefined;
    const args = bytes === undefined ? xack.encode(options) : [options.stream, options.group];
    return reader.callTogether(xack.name, args, bytes);
  }

  xackdel(options: XackdelOptions): Promise<ReadonlyMap<EntryId, Deletion>> {
    return this.#sendInParts(xackdel, options, mergeEnds);
  }

  xpendingSummary(options: { readonly stream: string; readonly group: string }): Promise<PendingSummary> {
    return this.#send(xpendingSummary, options);
  }

  xpendingRange(options: XpendingRangeOptions): Promise<readonly PendingEntry[]> {
    return this.#send(xpendingRange, options);
  }

  async xgroupCreate(options: XgroupCreateOptions): Promise<boolean> {
    try {
      await this.#send(xgroupCreate, options);
      return true;
    } catch (error) {
      if (CommandError.is(error) && error.reply === "BUSYGROUP") return false;
      throw error;
    }
  }

  xgroupSetId(options: XgroupCreateOptions): Promise<void> {
    return this.#send(xgroupSetId, options);
  }

  xgroupDestroy(options: { readonly stream: string; readonly group: string }): Promise<boolean> {
    return this.#send(xgroupDestroy, options);
  }

  xgroupCreateConsumer(options: XgroupCreateConsumerOptions): Promise<boolean> {
    return this.#send(xgroupCreateConsumer, options);
  }

  touchConsumer(options: TouchConsumerOptions): Promise<void> {
    return this.#send(touchConsumer, options);
  }

  xinfoStream(options: { readonly stream: string }): Promise<StreamInfo> {
    return this.#send(xinfoStream, options);
  }

  xinfoGroups(options: { readonly stream: string }): Promise<readonly GroupInfo[]> {
    return this.#send(xinfoGroups, options);
  }

  xinfoConsumers(options: { readonly stream: string; readonly group: string }): Promise<readonly ConsumerInfo[]> {
    return this.#send(xinfoConsumers, options);
  }

  async scanStreams({ cursor, ...options }: ScanStreamsOptions): Promise<StreamPage> {
    // The index of the server, and the cursor on it.
    const [server = 0, place] = cursor === undefined ? [] : [Number(cursor.split(":")[0]), cursor.split(":")[1]];
    const servers = this.#commands.servers;
    const page = { ...options, cursor: place };
    const reply = await servers[server]?.(scanStreams.name, scanStreams.encode(page));
    const { names, cursor: next } = scanStreams.decode(reply, page);
    if (next !== null) return { names, cursor: `${server}:${next}` };
    return { names, cursor: server + 1 < servers.length ? `${server + 1}:0` : null };
  }

  time(): Promise<number> {
    return this.#send(time, {});
  }

  async registry(options: { readonly stream: string; readonly group: string }): Promise<Registry> {
    return decodeRegistry(await this.#send(hgetall, { key: groupKey("consumers", options.stream, options.group) }));
  }

  async hungAmong({
    stream,
    group,
    ids,
  }: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlySet<EntryId>> {
    const scores = await this.#scores(groupKey("hung", stream, group), ids);
    return new Set(ids.filter((id) => scores.get(id) !== null));
  }

  dueTimes({
    stream,
    group,
    ids,
  }: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlyMap<EntryId, number | null>> {
    return this.#scores(groupKey("due", stream, group), ids);
  }

  countDue({
    stream,
    group,
    untilMs,
  }: {
    readonly stream: string;
    readonly group: string;
    readonly untilMs: number;
  }): Promise<number> {
    return this.#send(zcount, { key: groupKey("due", stream, group), max: untilMs });
  }

  async deregister({
    stream,
    group,
    consumer,
  }: {
    readonly stream: string;
    readonly group: string;
    readonly consumer: string;
  }): Promise<void> {
    await this.#send(hdel, { key: groupKey("consumers", stream, group), field: consumer });
  }

  setIfFree(options: SetIfFreeOptions): Promise<boolean> {
    return this.#send(setIfFree, options);
  }

  textOf(options: { readonly key: string }): Promise<string | null> {
    return this.#send(get, options);
  }

  setOnce(options: SetOnceOptions): Promise<string | null> {
    return this.#send(setOnce, options);
  }

  unlink(options: { readonly keys: readonly string[] }): Promise<number> {
    return orInSteps(this.#send(unlink, options), async () => {
      let existed = 0;
      for (const key of options.keys) existed += await this.#send(unlink, { keys: [key] });
      return existed;
    });
  }

  knowsCommands(names: readonly string[]): Promise<readonly boolean[] | null> {
    return unlessRefused(this.#send(commandInfo, { names }));
  }

  async isOffered(name: SentCommand): Promise<boolean> {
    const probing = probeCommand(name);
    // Not by way of a Cluster's own client, which would look for a key among the missing arguments.
    const [server] = this.#commands.servers;
    try {
      await this.#explained(server?.(probing.name, probing.encode({})) ?? this.#send(probing, {}));
    } catch (error) {
      if (PermissionError.is(error)) return error.refusal !== "command";
      if (!CommandError.is(error)) throw error;
    }
    return true;
  }

  info(): Promise<ReadonlyMap<string, string> | null> {
    return unlessRefused(this.#send(info, {}));
  }

  inspectServers({ settings: names }: { readonly settings: readonly string[] }): Promise<readonly ServerReport[]> {
    const reports = this.#commands.servers.map(async (call) => {
      const ask = async <Options, Result>(command: Command<Options, Result>, options: Options) =>
        command.decode(await call(command.name, command.encode(options)), options);
      const asked = [unlessRefused(ask(info, {})), unlessRefused(ask(configGet, { names }))] as const;
      const [told, settings] = await Promise.all(asked);
      return { info: told, settings };
    });
    return Promise.all(reports);
  }

  whoAmI(): Promise<string | null> {
    return unlessRefused(this.#send(aclWhoAmI, {}));
  }

  mayCall(options: MayCallOptions): Promise<readonly boolean[] | null> {
    return unlessRefused(this.#run(mayCall, options));
  }

  async mayRun(options: AclDryRunOptions): Promise<boolean | null> {
    try {
      return await nullIfForbidden(this.#send(aclDryRun, options));
    } catch (error) {
      // A command that the server does not offer has its own error.
      if (CommandError.is(error) && /Command '.*' not found/.test(error.message)) return false;
      throw error;
    }
  }

  ackOwned(options: OwnMessages): Promise<AckOwnedResult> {
    return this.#runInParts(ackOwned, options);
  }

  renewOwned(options: OwnMessages): Promise<ReadonlyMap<EntryId, Renewal>> {
    return this.#runInParts(renewOwned, options);
  }

  redeliverOwn(options: RedeliverOwnOptions): Promise<RedeliverOwnResult> {
    return this.#runInParts(redeliverOwn, options);
  }

  release(options: ReleaseOptions): Promise<ReleaseResult> {
    return this.#runInParts(release, options);
  }

  take(options: TakeOptions): Promise<TakeResult> {
    return this.#run(take, options);
  }

  scheduleLater(options: ScheduleLaterOptions): Promise<void> {
    return this.#runInParts(scheduleLater, options);
  }

  readDue(options: ReadDueOptions): Promise<ReadDueResult> {
    return this.#run(readDue, options);
  }

  forgetDue(options: ForgetDueOptions): Promise<number> {
    return this.#runInParts(forgetDue, options);
  }

  countHang(options: CountHangOptions): Promise<number> {
    return this.#run(countHang, options);
  }

  moveToDeadLetters(options: MoveToDeadLettersOptions): Promise<MoveToDeadLettersResult> {
    return orInSteps(this.#run(moveToDeadLetters, options), () => moveToDeadLettersInSteps(this, options));
  }

  redrive(options: RedriveLetterOptions): Promise<Redrive> {
    return this.#run(redrive, options);
  }

  handOver(options: HandOverOptions): Promise<HandOver> {
    return this.#runInParts(handOver, options);
  }

  handOverPage(options: HandOverPageOptions): Promise<HandOverPage> {
    return orInSteps(this.#run(handOverPage, options), () => handOverPageInSteps(this, options));
  }

  removeIfEmpty(options: RemoveIfEmptyOptions): Promise<Removal> {
    const { stream, group, consumer } = options;
    return orInSteps(this.#run(removeIfEmpty, options), () =>
      removeIfEmptyInSteps(this, options, {
        removeFromGroup: () => this.#run(removeFromGroup, options),
        deregister: () => this.deregister({ stream, group, consumer }),
      }),
    );
  }

  deleteIfAllGroupsDone(options: OwnMessages): Promise<ReadonlyMap<EntryId, Deletion>> {
    return this.#runInParts(deleteIfAllGroupsDone, options);
  }

  heartbeat(options: HeartbeatOptions): Promise<HeartbeatResult> {
    return this.#run(heartbeat, options);
  }

  reserveRate(options: ReserveRateOptions): Promise<Reservation> {
    return this.#run(reserveRate, options);
  }

  setRate(options: SetRateOptions): Promise<RateLimit | null> {
    return this.#run(setRate, options);
  }

  pauseGroup(options: PauseGroupOptions): Promise<PauseChange> {
    return this.#run(pauseGroup, options);
  }

  addOnce(options: AddOnceOptions): Promise<AddOnceResult> {
    return this.#run(addOnce, options);
  }

  holdLease(options: HoldLeaseOptions): Promise<LeaseAnswer> {
    return this.#run(holdLease, options);
  }

  writeInTerm(options: WriteInTermOptions): Promise<boolean> {
    return this.#run(writeInTerm, options);
  }

  holdPartition(options: HoldPartitionOptions): Promise<Ownership> {
    return this.#run(holdPartition, options);
  }

  readOwned(options: ReadOwnedOptions): Promise<OwnedRead> {
    return this.#run(readOwned, options);
  }

  adoptPending(options: AdoptPendingOptions): Promise<AdoptedPage> {
    return this.#run(adoptPending, options);
  }

  trimToSafePoint(options: TrimToSafePointOptions): Promise<SafeTrim | null> {
    return this.#run(trimToSafePoint, options);
  }

  async #send<Options, Result>(command: Command<Options, Result>, options: Options): Promise<Result> {
    const sent = this.#commands.call(command.name, command.encode(options));
    return command.decode(await this.#explained(sent), options);
  }

  async #explained<Result>(asked: Promise<Result>): Promise<Result> {
    try {
      return await asked;
    } catch (error) {
      throw explainPermission(error, this.#actor);
    }
  }

  async #run<Options, Result>(script: Script<Options, Result>, options: Options): Promise<Result> {
    const commands = this.#commands;
    const { name } = script;
    const keys = script.keys(options);
    const args = [keys.length, ...keys, ...script.encode(options)];
    const call = async (how: "eval" | "evalsha"): Promise<Result> => {
      const text = how === "eval" ? SCRIPTS[name] : DIGESTS[name];
      return script.decode(await this.#explained(commands.call(how, [text, ...args], name)), options);
    };
    if (this.#scripts.epoch !== commands.epoch) this.#scripts = scriptsOf(commands.epoch);
    const scripts = this.#scripts;
    // The first call on each connection loads the script, so that none is refused and then repeated after later commands.
    if (scripts.evalsha === "not-offered" || !scripts.loaded.has(name)) {
      scripts.loaded.add(name);
      return this.#runInFull(name, scripts, call);
    }
    try {
      return await call("evalsha");
    } catch (error) {
      // A server that has evicted the script, or another one of the Cluster, has not run it.
      if (CommandError.is(error) && error.reply === "NOSCRIPT") return this.#runInFull(name, scripts, call);
      if (!isNotRun(error)) throw error;
      const result = await call("eval");
      scripts.evalsha = "not-offered";
      return result;
    }
  }

  /** Sends the script itself; if EVAL is refused, with SCRIPT LOAD. */
  async #runInFull<Result>(
    name: ScriptName,
    scripts: ScriptState,
    call: (how: "eval" | "evalsha") => Promise<Result>,
  ): Promise<Result> {
    if (scripts.eval === "offered") {
      try {
        return await call("eval");
      } catch (error) {
        if (!isNotRun(error) || !(await this.#load(name))) throw error;
        scripts.eval = "not-offered";
      }
    } else await this.#load(name);
    return call("evalsha");
  }

  /** Loads a script, in a Cluster into every master → whether that is allowed. */
  async #load(name: ScriptName): Promise<boolean> {
    const { servers } = this.#commands;
    const loaded = Promise.all(servers.map((server) => server("script", ["LOAD", SCRIPTS[name]])));
    return (await nullIfForbidden(loaded)) !== null;
  }

  async #runInParts<Options, Result>(script: ScriptInParts<Options, Result>, options: Options): Promise<Result> {
    const results: Result[] = [];
    for (const part of script.split(options)) results.push(await this.#run(script, part));
    return script.merge(results);
  }

  async #sendInParts<Options extends { readonly ids: readonly EntryId[] }, Result>(
    command: Command<Options, Result>,
    options: Options,
    merge: (results: readonly Result[]) => Result,
  ): Promise<Result> {
    const results: Result[] = [];
    for (const ids of inParts(options.ids)) results.push(await this.#send(command, { ...options, ids }));
    return merge(results);
  }

  async #scores(key: string, ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, number | null>> {
    const found = new Map<EntryId, number | null>();
    for (const members of inParts(ids)) {
      const scores = await this.#send(zmscore, { key, members });
      for (const [index, id] of members.entries()) found.set(id, scores[index] ?? null);
    }
    return found;
  }
}
