/** The monitor: inspects a stream's groups, cleans up after dead consumers, and trims finished entries. Its states are those of a CallScope. */
import { type GroupPause, NoGroupError, type Observer, RedisBatchError, ServerStateError } from "@redis-batch/core";
import { type Dependencies, dependenciesOf, type StreamClient } from "@redis-batch/core/internal/connection";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import {
  LeaderLease,
  type PauseChange,
  type PauseOrder,
  pauseInForce,
  readPartitions,
} from "@redis-batch/core/internal/groups";
import { groupKey, quoteName, RELEASED } from "@redis-batch/core/internal/names";
import {
  CallScope,
  type Clock,
  createNotifier,
  INSPECT,
  type InspectContext,
  instanceName,
  nameService,
  pause,
  type Random,
  repeatPasses,
  showAs,
  warningObserver,
} from "@redis-batch/core/internal/service";
import { cleanUpGroup } from "./clean-up.ts";
import type { CleanUpReport, GroupCleanUp } from "./clean-up-report.ts";
import { listChanges } from "./decisions/changes.ts";
import { mergeCleanUps } from "./decisions/merge-clean-ups.ts";
import { mergeReports } from "./decisions/merge-reports.ts";
import type { MonitorEvent } from "./events.ts";
import { followReleased } from "./follow-released.ts";
import { inParallel } from "./in-parallel.ts";
import { Inspector, type Snapshot, type Stability } from "./inspect.ts";
import {
  type CleanUpOptions,
  type MonitorOptions,
  type MonitorPolicy,
  type PauseOptions,
  type ResumeOptions,
  type RunOptions,
  type RunPolicy,
  resolveCleanUpOptions,
  resolveMonitorOptions,
  resolvePauseOptions,
  resolveResumeOptions,
  resolveRunOptions,
  type TrimOptions,
} from "./options.ts";
import { readMembers } from "./read-members.ts";
import type { MonitorReport, PauseResult } from "./report.ts";
import { type TrimReport, trimStream } from "./retention.ts";
import { describeProblem } from "./warn.ts";

/** The state of a monitor, for probes. */
export interface MonitorHealth {
  readonly state: "idle" | "open" | "closed";
  /** Whether its connection is usable. */
  readonly connected: boolean;
  /** Whether it leads, in `run`; `null` while it does not run. */
  readonly leading: boolean | null;
  /** Milliseconds since the last successful pass; `null` before the first. */
  readonly inspectedAgoMs: number | null;
}

/** What a pass has seen: of the stream, or of each of its partitions, and the report on all. */
interface Seen {
  readonly report: MonitorReport;
  readonly parts: readonly (Snapshot & { readonly stream: string })[];
}

const PARTITIONS_AT_ONCE = 8;
// A leader that misses two passes is replaced.
const LEASE_INTERVALS = 3;
const SHORTEST_LEASE_MS = 10_000;
// When one heartbeat arrives, another one may already be late; the call must end at some time.
const MOST_PASSES_AGAIN = 2;

/**
 * Watches the consumer groups of a Redis Stream: which are behind and why, which messages belong to dead consumers, and
 * how far the stream can be trimmed. Works with any consumer group; consumers of Redis Batch report more details. The
 * constructor does no I/O; the first use connects.
 *
 * @example
 * ```ts
 * import { Monitor, renderTable } from "@redis-batch/monitor";
 *
 * const monitor = new Monitor({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * console.log(renderTable(await monitor.inspect()));
 * await monitor.close();
 * ```
 */
export class Monitor implements AsyncDisposable {
  readonly #policy: MonitorPolicy;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #calls: CallScope;
  readonly #report: Observer<MonitorEvent>;
  /** Of each stream that is read: the stream itself, or those of its partitions. */
  #inspectors: ReadonlyMap<string, Inspector>;
  #connectedSinceMs: number | null = null;
  #lastReport: MonitorReport | null = null;
  #inspectedAtMs: number | null = null;
  #passUnderWay: Promise<unknown> = Promise.resolve();
  #isLeading: boolean | null = null;

  /** @throws {ConfigError} naming every wrong option */
  constructor(options: MonitorOptions);
  /** @internal */
  constructor(options: MonitorOptions, dependencies: Dependencies);
  constructor(options: MonitorOptions, dependencies?: Dependencies) {
    const policy = resolveMonitorOptions(options);
    const { clock, random, createClient } = dependencies ?? dependenciesOf(policy.redis);
    this.#policy = policy;
    this.#clock = clock;
    this.#random = random;
    const subject = nameService("monitor", policy.stream, policy.group);
    this.#report = createNotifier("monitor", policy.observer ?? warningObserver(subject, describeProblem, clock));
    this.#calls = new CallScope({
      whenClosed: "the monitor was closed",
      connectTimeoutMs: policy.connectTimeoutMs,
      clock,
      report: (event) => {
        this.#connectedSinceMs = event.type === "connected" ? this.#clock.nowMs() : null;
        this.#report(event);
      },
      // No read ever blocks here.
      createClient: (report) =>
        createClient({
          redis: policy.redis,
          credentials: policy.credentials,
          blockMs: 0,
          actor: { role: "monitor", stream: policy.stream },
          report,
        }),
    });
    this.#inspectors = this.#inspectorsOf([policy.stream]);
  }

  get #client(): StreamClient {
    return this.#calls.client;
  }

  /** The report of the last pass; `null` before the first. */
  get lastReport(): MonitorReport | null {
    return this.#lastReport;
  }

  /**
   * Inspects the stream and its groups. Trends are judged against earlier passes, so a monitor that you keep reports more
   * than a new one.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   * @throws {PermissionError} {@link WrongTypeError}
   */
  async inspect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<MonitorReport> {
    return (await this.#calls.use(signal, (ending) => this.#takeSnapshot(ending))).report;
  }

  /**
   * Releases the messages of dead consumers to any consumer with room, and removes the names that have nothing pending any
   * more. Takes no message with a live lease, and moves nothing if there is no healthy consumer to take it; `reason` and
   * `left` say so. Safe at any time and beside other monitors: what it cannot do now, the next clean-up can.
   *
   * A consumer is dead once its heartbeat was observed to stop. If a heartbeat is late that this monitor has not watched
   * yet, the call watches it for three heartbeats, at most 15 s. After the last page it waits up to two seconds to see
   * which consumers claim the released messages.
   *
   * With `dryRun` it changes nothing and returns the plan.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   */
  async cleanUp(options: CleanUpOptions = {}): Promise<CleanUpReport> {
    const { dryRun, signal } = resolveCleanUpOptions("cleanUp", options);
    return this.#calls.use(signal, async (ending) => {
      const snapshot = await this.#watchLate(ending);
      const report = await this.#cleanUp(snapshot, dryRun, async () => !ending.aborted);
      return dryRun ? report : this.#followReleased(snapshot, report, ending);
    });
  }

  /**
   * Deletes the oldest entries of the stream that all its groups have finished, watched or not: read past, and not
   * pending. Without a group nothing is deleted. With `dryRun` it only reports how far it could trim.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   */
  async trim(options: TrimOptions = {}): Promise<TrimReport> {
    const { dryRun, signal } = resolveCleanUpOptions("trim", options);
    return this.#calls.use(signal, (ending) => this.#trim(dryRun, async () => !ending.aborted));
  }

  /**
   * Pauses the group for all of its consumers: within a heartbeat (at most 5 s) each stops taking messages, finishes the batches
   * that are open, and releases the rest, uncounted, if another consumer is alive. Consumers that join meanwhile wait as well. It
   * ends with `resume()`, or after `forMs` by itself. A group that is paused already gets the new pause. Resolves with the pause,
   * with the one that it replaced, and with the consumers that go on because they do not know of it: of an earlier version, or not
   * of Redis Batch.
   *
   * @throws {NoGroupError} when the stream or the group does not exist
   * @throws {ConfigError} when an option is wrong
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   */
  async pause(options: PauseOptions): Promise<PauseResult> {
    const { group, ...order } = resolvePauseOptions(options, this.#policy.group);
    return this.#calls.use(undefined, async (ending) => {
      const { atMs, before } = await this.#changePause(group, order);
      const { report } = await this.#takeSnapshot(ending);
      const { by, reason, forMs } = order;
      const told = { by, reason, sinceMs: atMs, untilMs: forMs === null ? null : atMs + forMs, notObeyedBy: [] };
      const now = report.groups.find((one) => one.group === group)?.pause ?? told;
      return { ...now, replaced: pauseInForce(before, atMs) };
    });
  }

  /**
   * Ends the pause of a group: its consumers go on within a heartbeat. Resolves with the pause that it ended; `null`: there was
   * none. Throws like `pause()`.
   */
  async resume(options: ResumeOptions = {}): Promise<GroupPause | null> {
    const group = resolveResumeOptions(options, this.#policy.group);
    return this.#calls.use(undefined, async () => (await this.#changePause(group, null)).before);
  }

  /**
   * Inspects the stream every `intervalMs`. After each pass it cleans up and trims, if the options say so and this monitor
   * leads: of several monitors of one stream one leads, the others watch, and one of them takes over when it is gone.
   * Resolves when `signal` aborts or `close()` is called. An outage does not end it.
   *
   * @throws {ConnectionError} when the first connection cannot be made within `connectTimeoutMs`
   * @throws {UsageError} while another run of this monitor is active, and after `close()`
   * @throws {RedisBatchError} on errors that a retry cannot fix: wrong credentials, missing rights, a key of another type
   */
  async run(options: RunOptions = {}): Promise<void> {
    const policy = resolveRunOptions(options);
    await this.#calls.run(policy.signal, (signal) => this.#runUntil(signal, policy));
  }

  /** The current state of the monitor. Does no I/O. */
  health(): MonitorHealth {
    return {
      state: this.#calls.state,
      connected: this.#connectedSinceMs !== null,
      leading: this.#isLeading,
      inspectedAgoMs: this.#inspectedAtMs === null ? null : this.#clock.nowMs() - this.#inspectedAtMs,
    };
  }

  /** Ends runs and calls after their current page, then closes the connection. Idempotent. */
  close(): Promise<void> {
    return this.#calls.close();
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    return showAs(
      "Monitor",
      { stream: this.#policy.stream, group: this.#policy.group ?? "all", ...this.health() },
      depth,
      options,
    );
  }

  /** A pause of a group that does not exist would be found by nobody. */
  async #changePause(group: string, order: PauseOrder | null): Promise<PauseChange> {
    const { stream } = this.#policy;
    const partitions = await readPartitions(this.#client, stream);
    const having: string[] = [];
    for (const one of partitions ?? [stream]) {
      const groups = await this.#client.xinfoGroups({ stream: one }).catch((error: unknown) => {
        if (partitions !== null && NoGroupError.is(error)) return [];
        throw error;
      });
      if (groups.some(({ name }) => name === group)) having.push(one);
    }
    if (having.length === 0) {
      throw new NoGroupError(`the stream ${quoteName(stream)} has no group ${quoteName(group)}`);
    }
    // The scaler looks beside the logical stream.
    for (const one of partitions === null ? [] : having)
      await this.#client.pauseGroup({ stream: one, group, pause: order });
    return this.#client.pauseGroup({ stream, group, pause: order });
  }

  /** One pass at a time: each is compared with the one before. */
  #takeSnapshot(signal: AbortSignal): Promise<Seen> {
    const snapshot = this.#passUnderWay.then(async () => {
      signal.throwIfAborted();
      const beganAtMs = this.#clock.nowMs();
      const seen = await this.#inspect(signal);
      const before = this.#lastReport ?? undefined;
      this.#lastReport = seen.report;
      this.#inspectedAtMs = this.#clock.nowMs();
      const { groups } = seen.report;
      const consumers = groups.reduce((sum, group) => sum + group.consumers.length, 0);
      const durationMs = Math.round(this.#inspectedAtMs - beganAtMs);
      this.#report({ type: "inspected", groups: groups.length, consumers, durationMs });
      for (const change of listChanges(before, seen.report)) this.#report(change);
      return seen;
    });
    this.#passUnderWay = snapshot.catch(() => {});
    return snapshot;
  }

  #inspectorsOf(streams: readonly string[]): ReadonlyMap<string, Inspector> {
    const make = (stream: string): Inspector =>
      new Inspector(this.#client, { ...this.#policy, stream }, () => this.#stability());
    return new Map(streams.map((stream) => [stream, this.#inspectors?.get(stream) ?? make(stream)]));
  }

  /** Looks at the stream, or at each of its partitions. */
  async #inspect(signal: AbortSignal): Promise<Seen> {
    const { stream } = this.#policy;
    if (this.#inspectors.has(stream)) {
      const partitions = await readPartitions(this.#client, stream);
      if (partitions !== null) this.#inspectors = this.#inspectorsOf(partitions);
    }
    const parts = await inParallel([...this.#inspectors], PARTITIONS_AT_ONCE, async ([name, inspector]) => ({
      ...{ stream: name, ...(await inspector.takeSnapshot(signal)) },
    }));
    const [only] = parts;
    if (only !== undefined && this.#inspectors.has(stream)) return { report: only.report, parts };
    const members = await readMembers(this.#client, stream, parts);
    const reports = parts.map(({ report }) => report);
    return { report: mergeReports(stream, reports, members), parts };
  }

  /** Makes a pass, and repeats it while a heartbeat is late that was not watched for long enough. */
  async #watchLate(signal: AbortSignal): Promise<Seen> {
    let snapshot = await this.#takeSnapshot(signal);
    for (let passes = 0; passes < MOST_PASSES_AGAIN; passes++) {
      const groups = snapshot.parts.flatMap((part) => part.groups);
      const waits = groups.flatMap(({ late }) => late.map(({ watchMs }) => watchMs));
      if (waits.length === 0 || signal.aborted) break;
      await pause(this.#clock, Math.max(...waits), signal);
      snapshot = await this.#takeSnapshot(signal);
    }
    return snapshot;
  }

  async #followReleased(snapshot: Seen, report: CleanUpReport, signal: AbortSignal): Promise<CleanUpReport> {
    const [only, ...others] = snapshot.parts;
    // The next owner of a partition takes over what is pending in it before anything else: there is nobody to follow.
    if (only === undefined || others.length > 0) return report;
    const context = { client: this.#client, clock: this.#clock, stream: only.stream, signal };
    const groups = await Promise.all(
      report.groups.map(async (done) => {
        const released = done.moves.reduce((sum, { to, messages }) => sum + (to === RELEASED ? messages : 0), 0);
        const sight = only.groups.find((one) => one.report.group === done.group);
        if (released === 0 || sight === undefined) return done;
        return { ...done, taken: await followReleased(context, done.group, sight, released) };
      }),
    );
    return { ...report, groups };
  }

  #stability(): Stability {
    return { connectedSinceMs: this.#connectedSinceMs, nowMs: this.#clock.nowMs() };
  }

  async #cleanUp(snapshot: Seen, dryRun: boolean, mayGoOn: () => Promise<boolean>): Promise<CleanUpReport> {
    const groups: GroupCleanUp[] = [];
    for (const { stream, groups: sights, firstEntryId } of snapshot.parts) {
      const context = {
        ...{ client: this.#client, policy: { ...this.#policy, stream }, report: this.#report },
        ...{ dryRun, mayGoOn, stability: () => this.#stability() },
      };
      for (const sight of sights) {
        if (!(await mayGoOn())) break;
        groups.push(await cleanUpGroup(context, sight, firstEntryId));
      }
    }
    return { v: 1, atMs: snapshot.report.atMs, stream: this.#policy.stream, dryRun, groups: mergeCleanUps(groups) };
  }

  async #trim(dryRun: boolean, mayGoOn: () => Promise<boolean>): Promise<TrimReport> {
    const { stream } = this.#policy;
    const streams = (await readPartitions(this.#client, stream)) ?? [stream];
    const reports: TrimReport[] = [];
    for (const one of streams) {
      const report = await trimStream({ client: this.#client, stream: one, dryRun, mayGoOn });
      const { dropped: entries, safeId, pinnedBy } = report;
      if (entries > 0 && safeId !== null && pinnedBy !== null) {
        this.#report({ type: "trimmed", entries, safeId, pinnedBy });
      }
      reports.push(report);
    }
    const [first, ...others] = reports as [TrimReport, ...TrimReport[]];
    if (others.length === 0) return first;
    // Ids of different partitions cannot be compared.
    const dropped = reports.reduce((sum, report) => sum + report.dropped, 0);
    const pinnedBy = reports.map((report) => report.pinnedBy).find((group) => group !== null) ?? null;
    return { stream, dryRun, dropped, safeId: null, pinnedBy };
  }

  async #runUntil(signal: AbortSignal, policy: RunPolicy): Promise<void> {
    const lease = new LeaderLease({
      ...{ client: this.#client, clock: this.#clock, holder: instanceName() },
      leaseKey: groupKey("lease:monitor", this.#policy.stream, this.#policy.group ?? ""),
      // Its acts are safe by themselves: nobody has to know whose they are.
      stateKey: null,
      leaseMs: Math.max(LEASE_INTERVALS * policy.intervalMs, SHORTEST_LEASE_MS),
    });
    const onFailure = (error: unknown, retryInMs: number): void => {
      if (!RedisBatchError.is(error) || !error.retryable) throw error;
      // It is loading, was demoted …: it is not the same server, so every consumer must send a heartbeat again.
      if (ServerStateError.is(error) && this.#connectedSinceMs !== null) this.#connectedSinceMs = this.#clock.nowMs();
      this.#report({ type: "passFailed", retryInMs, error: toErrorInfo(error) });
    };
    try {
      await repeatPasses(signal, () => this.#pass(signal, policy, lease), {
        ...{ intervalMs: policy.intervalMs, onFailure, clock: this.#clock, random: this.#random },
      });
    } finally {
      this.#isLeading = null;
    }
    await lease.giveUp();
  }

  async #pass(
    signal: AbortSignal,
    { intervalMs, autoCleanUp, autoTrim }: RunPolicy,
    lease: LeaderLease,
  ): Promise<void> {
    const snapshot = await this.#takeSnapshot(signal);
    const leads = await lease.hold();
    if (leads !== this.#isLeading) {
      this.#isLeading = leads;
      this.#report({ type: leads ? "leading" : "following" });
    }
    if (!leads) return;
    // A longer clean-up continues after the next pass, which is not delayed by it.
    const untilMs = this.#clock.nowMs() + intervalMs;
    const mayGoOn = async (): Promise<boolean> =>
      !signal.aborted && this.#clock.nowMs() < untilMs && (await lease.hold());
    if (autoCleanUp) await this.#cleanUp(snapshot, false, mayGoOn);
    if (autoTrim) await this.#trim(false, mayGoOn);
  }
}
