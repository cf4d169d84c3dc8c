import type { RedisBatchError } from "./errors/errors.ts";
import type { Registration } from "./groups/consumer-registry.ts";
import type { EntryId } from "./names/entry-id.ts";
import type { AclDryRunOptions } from "./wire/acl-dry-run.ts";
import type { AckOwnedResult } from "./wire/atomic/ack-owned.ts";
import type { AddOnceOptions, AddOnceResult } from "./wire/atomic/add-once.ts";
import type { CountHangOptions } from "./wire/atomic/count-hang.ts";
import type { Deletion } from "./wire/atomic/delete-if-all-groups-done.ts";
import type { ForgetDueOptions } from "./wire/atomic/forget-due.ts";
import type { HandOver, HandOverOptions } from "./wire/atomic/hand-over.ts";
import type { HandOverPage, HandOverPageOptions } from "./wire/atomic/hand-over-page.ts";
import type { HeartbeatOptions, HeartbeatResult } from "./wire/atomic/heartbeat.ts";
import type { HoldLeaseOptions, LeaseAnswer } from "./wire/atomic/hold-lease.ts";
import type { MoveToDeadLettersOptions, MoveToDeadLettersResult } from "./wire/atomic/move-to-dead-letters.ts";
import type { OwnMessages } from "./wire/atomic/own-messages.ts";
import type { ReadDueOptions, ReadDueResult } from "./wire/atomic/read-due.ts";
import type { RedeliverOwnOptions, RedeliverOwnResult } from "./wire/atomic/redeliver-own.ts";
import type { Redrive, RedriveLetterOptions } from "./wire/atomic/redrive.ts";
import type { ReleaseOptions, ReleaseResult } from "./wire/atomic/release.ts";
import type { Removal, RemoveIfEmptyOptions } from "./wire/atomic/remove-if-empty.ts";
import type { Renewal } from "./wire/atomic/renew-owned.ts";
import type { ScheduleLaterOptions } from "./wire/atomic/schedule-later.ts";
import type { TakeOptions, TakeResult } from "./wire/atomic/take.ts";
import type { SafeTrim, TrimToSafePointOptions } from "./wire/atomic/trim-to-safe-point.ts";
import type { WriteInTermOptions } from "./wire/atomic/write-in-term.ts";
import type { StreamEntry } from "./wire/entry.ts";
import type { SentCommand } from "./wire/harmless-call.ts";
import type { ScanStreamsOptions, StreamPage } from "./wire/scan-streams.ts";
import type { SetIfFreeOptions } from "./wire/set-if-free.ts";
import type { TouchConsumerOptions } from "./wire/touch-consumer.ts";
import type { XackOptions } from "./wire/xack.ts";
import type { Trim, XaddOptions } from "./wire/xadd.ts";
import type { XgroupCreateConsumerOptions, XgroupCreateOptions } from "./wire/xgroup.ts";
import type { ConsumerInfo, GroupInfo, StreamInfo } from "./wire/xinfo.ts";
import type { PendingEntry, PendingSummary, XpendingRangeOptions } from "./wire/xpending.ts";
import type { XrangeOptions } from "./wire/xrange.ts";
import type { XreadgroupOptions } from "./wire/xreadgroup.ts";

/** `commands`: everything but reads · `reader`: XREADGROUP only, because a blocking read holds up all that follows it. */
export type ConnectionRole = "commands" | "reader";

/** What happened to one of a client's connections. */
export type ConnectionEvent =
  | { readonly type: "connected"; readonly role: ConnectionRole }
  | { readonly type: "disconnected"; readonly role: ConnectionRole; readonly reason: string }
  /** An attempt to connect failed, for a reason not told since there was a connection. It goes on being tried for. */
  | { readonly type: "connectFailed"; readonly role: ConnectionRole; readonly reason: string };

/** The end of one add of many: the new entry's id, or why there is none. */
export type AddOutcome = EntryId | RedisBatchError;

/**
 * The one way to Redis: a method per command and per atomic operation, decoded values back, only errors of Redis Batch
 * thrown. Nothing is ever sent twice: a command whose connection fails rejects with a `ConnectionError` that says
 * whether the server may have executed it, and the caller decides.
 *
 * Connections come back by themselves, whatever ended them, until `close`: there is no other state from which one cannot
 * come back. While the server refuses user, password or database, `connect` rejects with that error each time it is
 * called, and the connection goes on trying.
 */
export interface StreamClient {
  /**
   * Opens the connections of these roles where they are not open yet, and waits until all are usable.
   *
   * @throws {PermissionError} when the server refuses user or password
   * @throws {ConnectionError} when there is no usable connection within `timeoutMs`
   */
  connect(
    roles: readonly ConnectionRole[],
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void>;

  /** Counts the reader's connections: when it has changed, a reply may have been lost on the way. */
  readonly readerEpoch: number;

  /** Closes every connection it opened, at once; commands under way reject. Idempotent. */
  close(): Promise<void>;

  /** @see xadd in `wire/xadd.ts`, and so on for each command. */
  xadd(options: XaddOptions): Promise<EntryId>;
  /** Many adds in one go. Each has its own outcome, in the order given. */
  xaddMany(items: readonly XaddOptions[]): Promise<readonly AddOutcome[]>;
  xtrim(options: { readonly stream: string; readonly trim: Trim }): Promise<number>;
  xlen(options: { readonly stream: string }): Promise<number>;
  xrange(options: XrangeOptions): Promise<readonly StreamEntry[]>;
  xrevrange(options: XrangeOptions): Promise<readonly StreamEntry[]>;
  xdel(options: { readonly stream: string; readonly ids: readonly EntryId[] }): Promise<number>;
  /**
   * Reads new entries, on the reader's connection. `signal` ends the wait early; the read then resolves with what
   * came, because a reply that is on its way must not be dropped.
   *
   * @throws {NoGroupError} when stream or group are not there
   */
  xreadgroup(options: XreadgroupOptions, signal?: AbortSignal): Promise<readonly StreamEntry[]>;
  xack(options: XackOptions): Promise<number>;
  /** Acknowledges, and deletes what no group needs any more; see `Capabilities.ackDelete` for whether it is there. */
  xackdel(options: XackOptions): Promise<ReadonlyMap<EntryId, Deletion>>;
  xpendingSummary(options: { readonly stream: string; readonly group: string }): Promise<PendingSummary>;
  xpendingRange(options: XpendingRangeOptions): Promise<readonly PendingEntry[]>;
  /** Creates the group, and the stream where it is missing → whether the group is new. */
  xgroupCreate(options: XgroupCreateOptions): Promise<boolean>;
  /** Sets the group's position. What is pending stays pending. */
  xgroupSetId(options: XgroupCreateOptions): Promise<void>;
  /** Removes the group with its pending list → whether there was one. */
  xgroupDestroy(options: { readonly stream: string; readonly group: string }): Promise<boolean>;
  xgroupCreateConsumer(options: XgroupCreateConsumerOptions): Promise<boolean>;
  /** Keeps a name from looking idle, and creates it where it is missing. Delivers nothing, and is not replicated. */
  touchConsumer(options: TouchConsumerOptions): Promise<void>;
  xinfoStream(options: { readonly stream: string }): Promise<StreamInfo>;
  xinfoGroups(options: { readonly stream: string }): Promise<readonly GroupInfo[]>;
  xinfoConsumers(options: { readonly stream: string; readonly group: string }): Promise<readonly ConsumerInfo[]>;
  /** Names of streams, page by page; in a Cluster of all its servers. Give each page's cursor to the next call. */
  scanStreams(options: ScanStreamsOptions): Promise<StreamPage>;
  /** The server's clock, in milliseconds since 1970. */
  time(): Promise<number>;
  /** The consumers of a group that send heartbeats, dead ones included until they are removed. */
  registry(options: { readonly stream: string; readonly group: string }): Promise<ReadonlyMap<string, Registration>>;
  /** When messages that were deferred are due, in server milliseconds since 1970; `null` for one that has no time. */
  dueTimes(options: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlyMap<EntryId, number | null>>;
  /** On which of these messages a handler hung before, as `countHang` has counted. */
  hungAmong(options: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly EntryId[];
  }): Promise<ReadonlySet<EntryId>>;
  /** How many of the messages that were deferred are due at a time, in server milliseconds since 1970. */
  countDue(options: { readonly stream: string; readonly group: string; readonly untilMs: number }): Promise<number>;
  /** Sets a key that is free → whether it was. @see setIfFree in `wire/set-if-free.ts` */
  setIfFree(options: SetIfFreeOptions): Promise<boolean>;
  /** Removes keys, whatever they hold → how many there were. In a Cluster all must share one slot. */
  unlink(options: { readonly keys: readonly string[] }): Promise<number>;
  /** Which of these commands the server knows; `null` when it does not let us ask. */
  knowsCommands(names: readonly string[]): Promise<readonly boolean[] | null>;
  /** Whether the server, and what is before it, offers a command at all, whoever may use it. Asked without `COMMAND`. */
  isOffered(name: SentCommand): Promise<boolean>;
  /** What the server tells of itself, by name; `null` when it does not let us ask. In a Cluster, any one of its servers. */
  info(): Promise<ReadonlyMap<string, string> | null>;
  /** The ACL user that commands are run as; `null` when the server does not let us ask. */
  whoAmI(): Promise<string | null>;
  /** Whether a user may run a command, which is not run; `null` when the server does not let us ask. */
  mayRun(options: AclDryRunOptions): Promise<boolean | null>;

  /** The atomic operations: one Lua script each, in `lua/`. */
  ackOwned(options: OwnMessages): Promise<AckOwnedResult>;
  renewOwned(options: OwnMessages): Promise<ReadonlyMap<EntryId, Renewal>>;
  redeliverOwn(options: RedeliverOwnOptions): Promise<RedeliverOwnResult>;
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
  addOnce(options: AddOnceOptions): Promise<AddOnceResult>;
  holdLease(options: HoldLeaseOptions): Promise<LeaseAnswer>;
  writeInTerm(options: WriteInTermOptions): Promise<boolean>;
  trimToSafePoint(options: TrimToSafePointOptions): Promise<SafeTrim | null>;
}
