import type { RedisBatchError } from "./errors/errors.ts";
import type { Registry } from "./groups/consumer-registry.ts";
import type { EntryId } from "./names/entry-id.ts";
import type { AclDryRunOptions } from "./wire/acl-dry-run.ts";
import type { AckOwnedResult } from "./wire/atomic/ack-owned.ts";
import type { AddOnceOptions, AddOnceResult } from "./wire/atomic/add-once.ts";
import type { AdoptedPage, AdoptPendingOptions } from "./wire/atomic/adopt-pending.ts";
import type { CountHangOptions } from "./wire/atomic/count-hang.ts";
import type { Deletion } from "./wire/atomic/delete-if-all-groups-done.ts";
import type { ForgetDueOptions } from "./wire/atomic/forget-due.ts";
import type { HandOver, HandOverOptions } from "./wire/atomic/hand-over.ts";
import type { HandOverPage, HandOverPageOptions } from "./wire/atomic/hand-over-page.ts";
import type { HeartbeatOptions, HeartbeatResult } from "./wire/atomic/heartbeat.ts";
import type { HoldLeaseOptions, LeaseAnswer } from "./wire/atomic/hold-lease.ts";
import type { HoldPartitionOptions, Ownership } from "./wire/atomic/hold-partition.ts";
import type { MayCallOptions } from "./wire/atomic/may-call.ts";
import type { MoveToDeadLettersOptions, MoveToDeadLettersResult } from "./wire/atomic/move-to-dead-letters.ts";
import type { OwnMessages } from "./wire/atomic/own-messages.ts";
import type { PauseChange, PauseGroupOptions } from "./wire/atomic/pause-group.ts";
import type { ReadDueOptions, ReadDueResult } from "./wire/atomic/read-due.ts";
import type { OwnedRead, ReadOwnedOptions } from "./wire/atomic/read-owned.ts";
import type { RedeliverOwnOptions, RedeliverOwnResult } from "./wire/atomic/redeliver-own.ts";
import type { Redrive, RedriveLetterOptions } from "./wire/atomic/redrive.ts";
import type { ReleaseOptions, ReleaseResult } from "./wire/atomic/release.ts";
import type { Removal, RemoveIfEmptyOptions } from "./wire/atomic/remove-if-empty.ts";
import type { Renewal } from "./wire/atomic/renew-owned.ts";
import type { Reservation, ReserveRateOptions } from "./wire/atomic/reserve-rate.ts";
import type { ScheduleLaterOptions } from "./wire/atomic/schedule-later.ts";
import type { SetRateOptions } from "./wire/atomic/set-rate.ts";
import type { TakeOptions, TakeResult } from "./wire/atomic/take.ts";
import type { SafeTrim, TrimToSafePointOptions } from "./wire/atomic/trim-to-safe-point.ts";
import type { WriteInTermOptions } from "./wire/atomic/write-in-term.ts";
import type { StreamEntries, StreamEntry } from "./wire/entry.ts";
import type { SentCommand } from "./wire/probe-command.ts";
import type { RateLimit } from "./wire/rate-limit.ts";
import type { ScanStreamsOptions, StreamPage } from "./wire/scan-streams.ts";
import type { SetIfFreeOptions } from "./wire/set-if-free.ts";
import type { SetOnceOptions } from "./wire/set-once.ts";
import type { TouchConsumerOptions } from "./wire/touch-consumer.ts";
import type { WaitOptions } from "./wire/wait.ts";
import type { XackOptions } from "./wire/xack.ts";
import type { XackdelOptions } from "./wire/xackdel.ts";
import type { XaddOptions } from "./wire/xadd.ts";
import type { XgroupCreateConsumerOptions, XgroupCreateOptions } from "./wire/xgroup.ts";
import type { ConsumerInfo, GroupInfo, StreamInfo } from "./wire/xinfo.ts";
import type { PendingEntry, PendingSummary, XpendingRangeOptions } from "./wire/xpending.ts";
import type { XrangeOptions } from "./wire/xrange.ts";
import type { XreadOptions } from "./wire/xread.ts";
import type { XreadgroupManyOptions, XreadgroupOptions } from "./wire/xreadgroup.ts";

/** `commands`: everything except reads · `reader`: XREADGROUP only, because a blocking read delays every command after it. */
export type ConnectionRole = "commands" | "reader";

/** An event of one of a client's connections. */
export type ConnectionEvent =
  | { readonly type: "connected"; readonly role: ConnectionRole }
  | { readonly type: "disconnected"; readonly role: ConnectionRole; readonly reason: string }
  /** An attempt to connect failed, for a reason not reported since the last connection. It keeps trying. */
  | { readonly type: "connectFailed"; readonly role: ConnectionRole; readonly reason: string };

/** The result of one add of many: the new entry's id, or the error. */
export type AddOutcome = EntryId | RedisBatchError;

/** What a server reports about itself, by name; `null` if the user may not ask. */
export interface ServerReport {
  readonly info: ReadonlyMap<string, string> | null;
  /** A setting that the server does not know is not in it. */
  readonly settings: ReadonlyMap<string, string> | null;
}

/**
 * Waits until replicas have what was followed → how many have it. Call it once, after the replies.
 *
 * @throws {ConnectionError} `not-sent` when the connection that carried all of it is not there any more: on another one
 * the server would answer for what that one has written, which may be nothing
 */
export type WaitForReplicas = (options: WaitOptions) => Promise<number>;

/**
 * The only way to Redis: one method per command and per atomic operation. Methods return decoded values and throw only
 * errors of Redis Batch. Nothing is ever sent twice: a command whose connection fails rejects with a `ConnectionError`
 * that says whether the server may have executed it, and the caller decides.
 *
 * Connections reconnect by themselves until `close`, whatever ended them. While the server rejects user, password or
 * database, every call of `connect` rejects with that error, and the connection keeps trying.
 */
export interface StreamClient {
  /**
   * Opens the connections of these roles if necessary, and waits until all are usable. `stream`: the one that will be read.
   * In a Cluster the streams of each slot have a reader's connection of their own.
   *
   * @throws {PermissionError} when the server rejects the user name or password
   * @throws {ConnectionError} when there is no usable connection within `timeoutMs`
   */
  connect(
    roles: readonly ConnectionRole[],
    options: {
      readonly timeoutMs: number;
      readonly signal?: AbortSignal | undefined;
      readonly stream?: string | undefined;
    },
  ): Promise<void>;

  /** Counts the connections over which this stream is read: if it has changed, a reply may have been lost. */
  readerEpoch(stream: string): number;

  /** The streams, divided into those that one command can read: in a Cluster those of one slot, otherwise all. */
  readTogether(streams: readonly string[]): readonly (readonly string[])[];

  /** Closes every connection it opened, at once; commands in flight reject. Idempotent. */
  close(): Promise<void>;

  /** Many adds at once. Each has its own result, in the given order. @see xadd in `wire/xadd.ts`, and so on for each command. */
  xaddMany(items: readonly XaddOptions[]): Promise<readonly AddOutcome[]>;
  /** Follows the adds that are sent from now on, of one stream, in order to wait for their replicas. */
  followAdds(): WaitForReplicas;
  /** @throws {PermissionError} when WAIT is forbidden, or not offered */
  assertMayWait(): Promise<void>;
  xlen(options: { readonly stream: string }): Promise<number>;
  xrange(options: XrangeOptions): Promise<readonly StreamEntry[]>;
  xrevrange(options: XrangeOptions): Promise<readonly StreamEntry[]>;
  xdel(options: { readonly stream: string; readonly ids: readonly EntryId[] }): Promise<number>;
  /**
   * Reads new entries, on the reader's connection. `signal` ends the wait early; the read then resolves with the entries
   * that arrived, because a reply in transit must not be dropped.
   *
   * @throws {NoGroupError} when the stream or the group does not exist
   */
  xreadgroup(options: XreadgroupOptions, signal?: AbortSignal): Promise<readonly StreamEntry[]>;
  /**
   * The same for several streams, which must be of one slot; streams without new entries are left out.
   *
   * @throws {NoGroupError} when one of the streams, or its group, does not exist; then none is read
   */
  xreadgroupMany(options: XreadgroupManyOptions, signal?: AbortSignal): Promise<readonly StreamEntries[]>;
  /**
   * Waits, on the reader's connection, until one of the streams has entries behind its position → those that have. The streams must
   * be of one slot. Delivers nothing. `signal` ends the wait early.
   */
  xread(options: XreadOptions, signal?: AbortSignal): Promise<readonly string[]>;
  xack(options: XackOptions): Promise<number>;
  /** Acknowledges, and deletes entries that no group needs any more. Only if `Capabilities.ackDelete`. */
  xackdel(options: XackdelOptions): Promise<ReadonlyMap<EntryId, Deletion>>;
  xpendingSummary(options: { readonly stream: string; readonly group: string }): Promise<PendingSummary>;
  xpendingRange(options: XpendingRangeOptions): Promise<readonly PendingEntry[]>;
  /** Creates the group, and the stream if it is missing → whether the group is new. */
  xgroupCreate(options: XgroupCreateOptions): Promise<boolean>;
  /** Sets the group's position. Pending messages stay pending. */
  xgroupSetId(options: XgroupCreateOptions): Promise<void>;
  /** Deletes the group with its pending list → whether it existed. */
  xgroupDestroy(options: { readonly stream: string; readonly group: string }): Promise<boolean>;
  xgroupCreateConsumer(options: XgroupCreateConsumerOptions): Promise<boolean>;
  /** Resets the idle time of a consumer name, and creates it if it is missing. Delivers nothing, and is not replicated. */
  touchConsumer(options: TouchConsumerOptions): Promise<void>;
  xinfoStream(options: { readonly stream: string }): Promise<StreamInfo>;
  xinfoGroups(options: { readonly stream: string }): Promise<readonly GroupInfo[]>;
  xinfoConsumers(options: { readonly stream: string; readonly group: string }): Promise<readonly ConsumerInfo[]>;
  /** Names of streams, page by page; in a Cluster from all servers. Pass each page's cursor to the next call. */
  scanStreams(options: ScanStreamsOptions): Promise<StreamPage>;
  /** The server's clock, in milliseconds since 1970. */
  time(): Promise<number>;
  /** The consumers of a group that send heartbeats, dead ones included until they are removed. */
  registry(options: { readonly stream: string; readonly group: string }): Promise<Registry>;
  /** Removes a consumer from the registry, and nothing else: for one that owns partitions, and leaves. */
  deregister(options: { readonly stream: string; readonly group: string; readonly consumer: string }): Promise<void>;
  /** When deferred messages are due, in server milliseconds since 1970; `null` for one without a time. */
  dueTimes(options: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlyMap<EntryId, number | null>>;
  /** Which of these messages a handler hung on before, as counted by `countHang`. */
  hungAmong(options: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlySet<EntryId>>;
  /** How many deferred messages are due at a time, in server milliseconds since 1970. */
  countDue(options: { readonly stream: string; readonly group: string; readonly untilMs: number }): Promise<number>;
  /** Sets a key if it does not exist → whether it was set. @see setIfFree in `wire/set-if-free.ts` */
  setIfFree(options: SetIfFreeOptions): Promise<boolean>;
  /** What `setOnce` has set; `null`: nothing. */
  textOf(options: { readonly key: string }): Promise<string | null>;
  /** Sets a key that does not exist → what it has if it does. @see setOnce in `wire/set-once.ts` */
  setOnce(options: SetOnceOptions): Promise<string | null>;
  /** Deletes keys of any type → how many existed. In a Cluster all must share one slot. */
  unlink(options: { readonly keys: readonly string[] }): Promise<number>;
  /** Which of these commands the server knows; `null` if it may not be asked. */
  knowsCommands(names: readonly string[]): Promise<readonly boolean[] | null>;
  /** Whether the server, or a proxy in front of it, offers a command at all, to any user. Works without `COMMAND`. */
  isOffered(name: SentCommand): Promise<boolean>;
  /**
   * Which of these commands the server knows and this user may run, keys included; `null` if it cannot be asked. The
   * server logs no refusals.
   */
  mayCall(options: MayCallOptions): Promise<readonly boolean[] | null>;
  /** The server's INFO, by name; `null` if it may not be asked. In a Cluster, from any one of its servers. */
  info(): Promise<ReadonlyMap<string, string> | null>;
  /** INFO and some settings of every server that takes writes: of each master of a Cluster, or of the only server. */
  inspectServers(options: { readonly settings: readonly string[] }): Promise<readonly ServerReport[]>;
  /** The ACL user of this connection; `null` if the server may not be asked. */
  whoAmI(): Promise<string | null>;
  /** Whether a user may run a command, without running it; `null` if the server may not be asked. */
  mayRun(options: AclDryRunOptions): Promise<boolean | null>;

  /** The atomic operations: one Lua script each, in `lua/`. */
  ackOwned(options: OwnMessages): Promise<AckOwnedResult>;
  renewOwned(options: OwnMessages): Promise<ReadonlyMap<EntryId, Renewal>>;
  redeliverOwn(options: RedeliverOwnOptions): Promise<RedeliverOwnResult>;
  /** Moves the caller's own messages to `rb:released` or `rb:later`. For those of others there is `handOver`. */
  release(options: ReleaseOptions): Promise<ReleaseResult>;
  take(options: TakeOptions): Promise<TakeResult>;
  scheduleLater(options: ScheduleLaterOptions): Promise<void>;
  readDue(options: ReadDueOptions): Promise<ReadDueResult>;
  forgetDue(options: ForgetDueOptions): Promise<number>;
  countHang(options: CountHangOptions): Promise<number>;
  moveToDeadLetters(options: MoveToDeadLettersOptions): Promise<MoveToDeadLettersResult>;
  redrive(options: RedriveLetterOptions): Promise<Redrive>;
  handOver(options: HandOverOptions): Promise<HandOver>;
  handOverPage(options: HandOverPageOptions): Promise<HandOverPage>;
  removeIfEmpty(options: RemoveIfEmptyOptions): Promise<Removal>;
  deleteIfAllGroupsDone(options: OwnMessages): Promise<ReadonlyMap<EntryId, Deletion>>;
  heartbeat(options: HeartbeatOptions): Promise<HeartbeatResult>;
  pauseGroup(options: PauseGroupOptions): Promise<PauseChange>;
  reserveRate(options: ReserveRateOptions): Promise<Reservation>;
  setRate(options: SetRateOptions): Promise<RateLimit | null>;
  addOnce(options: AddOnceOptions): Promise<AddOnceResult>;
  holdLease(options: HoldLeaseOptions): Promise<LeaseAnswer>;
  writeInTerm(options: WriteInTermOptions): Promise<boolean>;
  holdPartition(options: HoldPartitionOptions): Promise<Ownership>;
  readOwned(options: ReadOwnedOptions): Promise<OwnedRead>;
  adoptPending(options: AdoptPendingOptions): Promise<AdoptedPage>;
  trimToSafePoint(options: TrimToSafePointOptions): Promise<SafeTrim | null>;
}
