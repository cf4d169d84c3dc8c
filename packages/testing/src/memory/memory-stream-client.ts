import { type ConnectionRole, type EntryId, RedisBatchError } from "@redis-batch/core";
import type { AddOutcome, ConnectionEvent, StreamClient } from "@redis-batch/core/internal/connection";
import {
  type ConsumerInfo,
  decodeRegistry,
  type GroupInfo,
  type PendingEntry,
  type Registry,
} from "@redis-batch/core/internal/groups";
import type { StreamEntry } from "@redis-batch/core/internal/messages";
import { groupKey } from "@redis-batch/core/internal/names";
import { type Clock, onAbort } from "@redis-batch/core/internal/service";
import * as atomic from "./memory-atomic-operations.ts";
import * as commands from "./memory-commands.ts";
import { MemoryConnection, unlessLost } from "./memory-connection.ts";
import type { MemoryFaults, MemoryMethod } from "./memory-faults.ts";
import type { MemoryKeyspace } from "./memory-keyspace.ts";
import type {
  AckOwnedResult,
  AclDryRunOptions,
  AddOnceOptions,
  AddOnceResult,
  AdoptedPage,
  AdoptPendingOptions,
  CountHangOptions,
  Deletion,
  ForgetDueOptions,
  HandOver,
  HandOverOptions,
  HandOverPage,
  HandOverPageOptions,
  HeartbeatOptions,
  HeartbeatResult,
  HoldLeaseOptions,
  HoldPartitionOptions,
  LeaseAnswer,
  MayCallOptions,
  MoveToDeadLettersOptions,
  MoveToDeadLettersResult,
  OwnedRead,
  Ownership,
  OwnMessages,
  PauseChange,
  PauseGroupOptions,
  PendingSummary,
  ReadDueOptions,
  ReadDueResult,
  ReadOwnedOptions,
  RedeliverOwnOptions,
  RedeliverOwnResult,
  Redrive,
  RedriveLetterOptions,
  ReleaseOptions,
  ReleaseResult,
  Removal,
  RemoveIfEmptyOptions,
  Renewal,
  Reservation,
  ReserveRateOptions,
  SafeTrim,
  ScanStreamsOptions,
  ScheduleLaterOptions,
  ServerReport,
  SetIfFreeOptions,
  SetOnceOptions,
  SetRateOptions,
  SetRateResult,
  StreamEntries,
  StreamInfo,
  StreamPage,
  TakeOptions,
  TakeResult,
  TouchConsumerOptions,
  TrimToSafePointOptions,
  WaitForReplicas,
  WriteInTermOptions,
  XackdelOptions,
  XackOptions,
  XaddOptions,
  XgroupCreateConsumerOptions,
  XgroupCreateOptions,
  XpendingRangeOptions,
  XrangeOptions,
  XreadgroupManyOptions,
  XreadgroupOptions,
  XreadOptions,
} from "./port.ts";

/** How long a lost connection takes to come back by itself. */
const RECONNECT_MS = 50;

/** The port over a keyspace in memory. A command runs the moment it is called, its reply comes with the next turn. */
export class MemoryStreamClient implements StreamClient {
  readonly #keys: MemoryKeyspace;
  readonly #faults: MemoryFaults;
  readonly #clock: Clock;
  readonly #commands: MemoryConnection;
  readonly #reader: MemoryConnection;
  readonly #onClose: () => void;

  constructor(
    keys: MemoryKeyspace,
    faults: MemoryFaults,
    clock: Clock,
    report: (event: ConnectionEvent) => void,
    onClose: () => void,
  ) {
    this.#keys = keys;
    this.#faults = faults;
    this.#clock = clock;
    this.#commands = new MemoryConnection("commands", report);
    this.#reader = new MemoryConnection("reader", report);
    this.#onClose = onClose;
  }

  readerEpoch(): number {
    return this.#reader.epoch;
  }

  readTogether(streams: readonly string[]): readonly (readonly string[])[] {
    return [streams];
  }

  async connect(
    roles: readonly ConnectionRole[],
    { signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    signal?.throwIfAborted();
    await this.#faults.strike("connect", "before");
    for (const role of roles) (role === "reader" ? this.#reader : this.#commands).open();
    await this.#faults.strike("connect", "after");
  }

  async close(): Promise<void> {
    this.#commands.close();
    this.#reader.close();
    this.#onClose();
  }

  /** Cuts the connection of a role: what is under way on it rejects. It comes back after a while, or with `connect`. */
  drop(role: ConnectionRole): void {
    const connection = role === "reader" ? this.#reader : this.#commands;
    if (!connection.isOpen) return;
    connection.lose("dropped");
    this.#clock.setTimer(RECONNECT_MS, () => {
      if (!connection.isClosed) connection.open();
    });
  }

  async xaddMany(items: readonly XaddOptions[]): Promise<readonly AddOutcome[]> {
    try {
      return await this.#run("xaddMany", () => items.map((item) => outcomeOf(() => commands.xadd(this.#keys, item))));
    } catch (error) {
      if (RedisBatchError.is(error)) return items.map(() => error);
      throw error;
    }
  }

  /** As many replicas as are asked for have whatever there is. */
  followAdds(): WaitForReplicas {
    return ({ count }) => this.#run("followAdds", () => count);
  }

  assertMayWait(): Promise<void> {
    return this.#run("assertMayWait", () => {});
  }

  xlen(options: { readonly stream: string }): Promise<number> {
    return this.#run("xlen", () => commands.xlen(this.#keys, options));
  }

  xrange(options: XrangeOptions): Promise<readonly StreamEntry[]> {
    return this.#run("xrange", () => commands.xrange(this.#keys, options));
  }

  xrevrange(options: XrangeOptions): Promise<readonly StreamEntry[]> {
    return this.#run("xrevrange", () => commands.xrevrange(this.#keys, options));
  }

  xdel(options: { readonly stream: string; readonly ids: readonly EntryId[] }): Promise<number> {
    return this.#run("xdel", () => commands.xdel(this.#keys, options));
  }

  async xreadgroup({ stream, ...options }: XreadgroupOptions, signal?: AbortSignal): Promise<readonly StreamEntry[]> {
    const [read] = await this.xreadgroupMany({ ...options, streams: [stream] }, signal);
    return read?.entries ?? [];
  }

  xreadgroupMany(options: XreadgroupManyOptions, signal?: AbortSignal): Promise<readonly StreamEntries[]> {
    const look = (): readonly StreamEntries[] => commands.xreadgroup(this.#keys, options);
    return this.#run(
      "xreadgroup",
      (connection) => this.#orWait(look, options.streams, options.blockMs, signal, connection),
      this.#reader,
    );
  }

  xread(options: XreadOptions, signal?: AbortSignal): Promise<readonly string[]> {
    const look = (): readonly string[] => commands.xread(this.#keys, options);
    const streams = [...options.positions.keys()];
    return this.#run(
      "xread",
      (connection) => this.#orWait(look, streams, options.blockMs, signal, connection),
      this.#reader,
    );
  }

  xack(options: XackOptions): Promise<number> {
    return this.#run("xack", () => commands.xack(this.#keys, options));
  }

  xackdel(options: XackdelOptions): Promise<ReadonlyMap<EntryId, Deletion>> {
    return this.#run("xackdel", () => atomic.deleteWhatIsDone(this.#keys, options, () => true));
  }

  xpendingSummary(options: { readonly stream: string; readonly group: string }): Promise<PendingSummary> {
    return this.#run("xpendingSummary", () => commands.xpendingSummary(this.#keys, options));
  }

  xpendingRange(options: XpendingRangeOptions): Promise<readonly PendingEntry[]> {
    return this.#run("xpendingRange", () => commands.xpendingRange(this.#keys, options));
  }

  xgroupCreate(options: XgroupCreateOptions): Promise<boolean> {
    return this.#run("xgroupCreate", () => commands.xgroupCreate(this.#keys, options));
  }

  xgroupSetId(options: XgroupCreateOptions): Promise<void> {
    return this.#run("xgroupSetId", () => commands.xgroupSetId(this.#keys, options));
  }

  xgroupDestroy(options: { readonly stream: string; readonly group: string }): Promise<boolean> {
    return this.#run("xgroupDestroy", () => commands.xgroupDestroy(this.#keys, options));
  }

  scanStreams(options: ScanStreamsOptions): Promise<StreamPage> {
    return this.#run("scanStreams", () => ({ names: this.#keys.streamNames(options.match), cursor: null }));
  }

  xgroupCreateConsumer(options: XgroupCreateConsumerOptions): Promise<boolean> {
    return this.#run("xgroupCreateConsumer", () => commands.xgroupCreateConsumer(this.#keys, options));
  }

  touchConsumer(options: TouchConsumerOptions): Promise<void> {
    return this.#run("touchConsumer", () => commands.touchConsumer(this.#keys, options));
  }

  xinfoStream(options: { readonly stream: string }): Promise<StreamInfo> {
    return this.#run("xinfoStream", () => commands.xinfoStream(this.#keys, options));
  }

  xinfoGroups(options: { readonly stream: string }): Promise<readonly GroupInfo[]> {
    return this.#run("xinfoGroups", () => commands.xinfoGroups(this.#keys, options));
  }

  xinfoConsumers(options: { readonly stream: string; readonly group: string }): Promise<readonly ConsumerInfo[]> {
    return this.#run("xinfoConsumers", () => commands.xinfoConsumers(this.#keys, options));
  }

  time(): Promise<number> {
    return this.#run("time", () => this.#keys.nowMs());
  }

  registry({ stream, group }: { readonly stream: string; readonly group: string }): Promise<Registry> {
    return this.#run("registry", () => decodeRegistry(this.#keys.hash(groupKey("consumers", stream, group))));
  }

  hungAmong({
    stream,
    group,
    ids,
  }: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlySet<EntryId>> {
    return this.#run("hungAmong", () => {
      const hung = this.#keys.sortedSet(groupKey("hung", stream, group));
      return new Set(ids.filter((id) => hung.has(id)));
    });
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
    return this.#run("dueTimes", () => {
      const due = this.#keys.sortedSet(groupKey("due", stream, group));
      return new Map(ids.map((id) => [id, due.get(id) ?? null]));
    });
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
    return this.#run("countDue", () => {
      const times = this.#keys.sortedSet(groupKey("due", stream, group)).values();
      return [...times].filter((atMs) => atMs <= untilMs).length;
    });
  }

  deregister({ stream, group, consumer }: Omit<OwnMessages, "ids">): Promise<void> {
    return this.#run("deregister", () => this.#keys.deleteHashField(groupKey("consumers", stream, group), consumer));
  }

  textOf({ key }: { readonly key: string }): Promise<string | null> {
    return this.#run("textOf", () => this.#keys.text(key) ?? null);
  }

  setOnce({ key, value }: SetOnceOptions): Promise<string | null> {
    return this.#run("setOnce", () => {
      const known = this.#keys.text(key);
      if (known === undefined) this.#keys.setText(key, value);
      return known ?? null;
    });
  }

  setIfFree({ key, value, expireMs }: SetIfFreeOptions): Promise<boolean> {
    return this.#run("setIfFree", () => {
      if (this.#keys.text(key) !== undefined) return false;
      this.#keys.setText(key, value, this.#keys.nowMs() + expireMs);
      return true;
    });
  }

  unlink({ keys }: { readonly keys: readonly string[] }): Promise<number> {
    return this.#run("unlink", () => keys.filter((key) => this.#keys.delete(key)).length);
  }

  knowsCommands(names: readonly string[]): Promise<readonly boolean[]> {
    return this.#run("knowsCommands", () => names.map(commands.knowsCommand));
  }

  async inspectServers(): Promise<readonly ServerReport[]> {
    return [{ info: await this.info(), settings: null }];
  }

  /** There are no users here, so every command that exists may be run. */
  mayCall({ commands: asked }: MayCallOptions): Promise<readonly boolean[]> {
    return this.#run("mayCall", () => asked.map(([name]) => commands.knowsCommand(String(name).toLowerCase())));
  }

  isOffered(): Promise<boolean> {
    return this.#run("isOffered", () => true);
  }

  /** It tells what a server without a limit tells: its version, and that it keeps everything. */
  info(): Promise<ReadonlyMap<string, string> | null> {
    return this.#run(
      "info",
      () =>
        new Map([
          ["redis_version", "7.0.0"],
          ["role", "master"],
          ["maxmemory", "0"],
          ["maxmemory_policy", "noeviction"],
        ]),
    );
  }

  whoAmI(): Promise<string | null> {
    return this.#run("whoAmI", () => "default");
  }

  mayRun(_options: AclDryRunOptions): Promise<boolean | null> {
    return this.#run("mayRun", () => true);
  }

  ackOwned(options: OwnMessages): Promise<AckOwnedResult> {
    return this.#run("ackOwned", () => atomic.ackOwned(this.#keys, options));
  }

  renewOwned(options: OwnMessages): Promise<ReadonlyMap<EntryId, Renewal>> {
    return this.#run("renewOwned", () => atomic.renewOwned(this.#keys, options));
  }

  redeliverOwn(options: RedeliverOwnOptions): Promise<RedeliverOwnResult> {
    return this.#run("redeliverOwn", () => atomic.redeliverOwn(this.#keys, options));
  }

  release(options: ReleaseOptions): Promise<ReleaseResult> {
    return this.#run("release", () => atomic.release(this.#keys, options));
  }

  take(options: TakeOptions): Promise<TakeResult> {
    return this.#run("take", () => atomic.take(this.#keys, options));
  }

  scheduleLater(options: ScheduleLaterOptions): Promise<void> {
    return this.#run("scheduleLater", () => atomic.scheduleLater(this.#keys, options));
  }

  readDue(options: ReadDueOptions): Promise<ReadDueResult> {
    return this.#run("readDue", () => atomic.readDue(this.#keys, options));
  }

  forgetDue(options: ForgetDueOptions): Promise<number> {
    return this.#run("forgetDue", () => atomic.forgetDue(this.#keys, options));
  }

  countHang(options: CountHangOptions): Promise<number> {
    return this.#run("countHang", () => atomic.countHang(this.#keys, options));
  }

  moveToDeadLetters(options: MoveToDeadLettersOptions): Promise<MoveToDeadLettersResult> {
    return this.#run("moveToDeadLetters", () => atomic.moveToDeadLetters(this.#keys, options));
  }

  redrive(options: RedriveLetterOptions): Promise<Redrive> {
    return this.#run("redrive", () => atomic.redrive(this.#keys, options));
  }

  handOver(options: HandOverOptions): Promise<HandOver> {
    return this.#run("handOver", () => atomic.handOver(this.#keys, options));
  }

  handOverPage(options: HandOverPageOptions): Promise<HandOverPage> {
    return this.#run("handOverPage", () => atomic.handOverPage(this.#keys, options));
  }

  removeIfEmpty(options: RemoveIfEmptyOptions): Promise<Removal> {
    return this.#run("removeIfEmpty", () => atomic.removeIfEmpty(this.#keys, options));
  }

  deleteIfAllGroupsDone(options: OwnMessages): Promise<ReadonlyMap<EntryId, Deletion>> {
    return this.#run("deleteIfAllGroupsDone", () => atomic.deleteIfAllGroupsDone(this.#keys, options));
  }

  reserveRate(options: ReserveRateOptions): Promise<Reservation> {
    return this.#run("reserveRate", () => atomic.reserveRate(this.#keys, options));
  }

  setRate(options: SetRateOptions): Promise<SetRateResult> {
    return this.#run("setRate", () => atomic.setRate(this.#keys, options));
  }

  pauseGroup(options: PauseGroupOptions): Promise<PauseChange> {
    return this.#run("pauseGroup", () => atomic.pauseGroup(this.#keys, options));
  }

  heartbeat(options: HeartbeatOptions): Promise<HeartbeatResult> {
    return this.#run("heartbeat", () => atomic.heartbeat(this.#keys, options));
  }

  addOnce(options: AddOnceOptions): Promise<AddOnceResult> {
    return this.#run("addOnce", () => atomic.addOnce(this.#keys, options));
  }

  holdLease(options: HoldLeaseOptions): Promise<LeaseAnswer> {
    return this.#run("holdLease", () => atomic.holdLease(this.#keys, options));
  }

  writeInTerm(options: WriteInTermOptions): Promise<boolean> {
    return this.#run("writeInTerm", () => atomic.writeInTerm(this.#keys, options));
  }

  holdPartition(options: HoldPartitionOptions): Promise<Ownership> {
    return this.#run("holdPartition", () => atomic.holdPartition(this.#keys, options));
  }

  readOwned(options: ReadOwnedOptions): Promise<OwnedRead> {
    return this.#run("readOwned", () => atomic.readOwned(this.#keys, options));
  }

  adoptPending(options: AdoptPendingOptions): Promise<AdoptedPage> {
    return this.#run("adoptPending", () => atomic.adoptPending(this.#keys, options));
  }

  trimToSafePoint(options: TrimToSafePointOptions): Promise<SafeTrim | null> {
    return this.#run("trimToSafePoint", () => atomic.trimToSafePoint(this.#keys, options));
  }

  async #run<Result>(
    method: MemoryMethod,
    execute: (connection: AbortSignal) => Result | Promise<Result>,
    role: MemoryConnection = this.#commands,
  ): Promise<Result> {
    const connection = role.carry(method);
    // Awaited only where there is something to wait for: a command is executed when it is called.
    const heldBefore = this.#faults.strike(method, "before");
    if (heldBefore !== undefined) await unlessLost(heldBefore, connection);
    const result = await unlessLost(execute(connection), connection);
    await unlessLost(this.#faults.strike(method, "after"), connection);
    return result;
  }

  /** What there is, or what comes within so long. */
  #orWait<Item>(
    look: () => readonly Item[],
    streams: readonly string[],
    blockMs: number | undefined,
    signal: AbortSignal | undefined,
    connection: AbortSignal,
  ): readonly Item[] | Promise<readonly Item[]> {
    if (signal?.aborted) return [];
    const found = look();
    if (found.length > 0 || blockMs === undefined) return found;
    return new Promise<readonly Item[]>((resolve, reject) => {
      const lookAgain = (): void => {
        try {
          const items = look();
          if (items.length > 0) end(() => resolve(items));
        } catch (error) {
          end(() => reject(error));
        }
      };
      // All at once: an entry that comes later must find nobody waiting here.
      const end = (settle: () => void): void => {
        for (const undo of cleanUp) undo();
        settle();
      };
      const cleanUp = [
        ...streams.map((stream) => this.#keys.wait(stream, lookAgain)),
        this.#clock.setTimer(blockMs, () => end(() => resolve([]))),
        onAbort(signal, () => end(() => resolve([]))),
        onAbort(connection, (error) => end(() => reject(error))),
      ];
    });
  }
}

function outcomeOf(add: () => EntryId): AddOutcome {
  try {
    return add();
  } catch (error) {
    if (RedisBatchError.is(error)) return error;
    throw error;
  }
}
