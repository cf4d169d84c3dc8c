/**
 * Alerts: judges reports, announces lasting changes, and delivers them to a webhook, one notice after the other.
 *
 * | state    | what it does                                        | leaves by                          |
 * |----------|-----------------------------------------------------|------------------------------------|
 * | open     | judges, announces, delivers, retries                | `close`                            |
 * | draining | delivers what is left, one attempt each             | all is sent, or `drainMs` is over  |
 * | closed   | nothing                                             | –                                  |
 */
import { randomUUID } from "node:crypto";
import { type Observer, UsageError } from "@redis-batch/core";
import { encodeShownJson } from "@redis-batch/core/internal/names";
import {
  type Clock,
  createNotifier,
  type Random,
  systemClock,
  systemRandom,
  warningObserver,
} from "@redis-batch/core/internal/service";
import { deliverWebhook, type WebhookTarget } from "@redis-batch/core/web";
import type { AlertNotice, AlertsEvent } from "./alerts/events.ts";
import { type AlertsOptions, type AlertsPolicy, resolveAlertsOptions } from "./alerts/options.ts";
import { type AlertDecision, type AlertTracks, decideAlerts, decideBlindness } from "./decisions/alerting.ts";
import type { MonitorReport } from "./report.ts";

/** Replaced in tests. */
export interface AlertsDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

const REAL_DEPENDENCIES: AlertsDependencies = { clock: systemClock, random: systemRandom };

/**
 * Notifies a callback or a webhook when the health of a group or the status of a consumer changes, when messages are
 * lost, and when the monitor cannot read the stream. A change must hold for several passes before it is announced, and
 * again before it is announced as resolved. One object can take the reports of several monitors of different streams.
 */
export class Alerts implements AsyncDisposable {
  readonly #policy: AlertsPolicy;
  readonly #dependencies: AlertsDependencies;
  readonly #notify: Observer<AlertsEvent>;
  readonly #queue: AlertNotice[] = [];
  // The first ends waits between attempts, the second the attempt itself.
  readonly #draining = new AbortController();
  readonly #givingUp = new AbortController();
  #tracks: AlertTracks = new Map();
  #delivering: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /** @throws {ConfigError} naming every problem */
  constructor(options: AlertsOptions);
  /** @internal */
  constructor(options: AlertsOptions, dependencies: AlertsDependencies);
  constructor(options: AlertsOptions, dependencies: AlertsDependencies = REAL_DEPENDENCIES) {
    this.#policy = resolveAlertsOptions(options);
    this.#dependencies = dependencies;
    const { observer } = this.#policy;
    this.#notify = createNotifier("alerts", observer ?? warningObserver("alerts", describeProblem, dependencies.clock));
  }

  /**
   * Judges a report of a monitor; returns at once. Call it with each report once, in order. It is bound to the alerts, so
   * you can pass it as a callback.
   *
   * @throws {UsageError} when the alerts are closed
   */
  readonly observe = (report: MonitorReport): void => {
    this.#announce(() => decideAlerts(this.#tracks, report, this.#policy.alerting));
  };

  /**
   * Records a failed pass, as the event `passFailed` of a monitor reports it: for a stream that cannot be read nothing
   * else is announced. Returns at once. Bound to the alerts.
   *
   * @throws {UsageError} when the alerts are closed
   */
  readonly observeFailure = ({ stream, reason }: { readonly stream: string; readonly reason: string }): void => {
    const failed = { stream, reason, atMs: Date.now() };
    this.#announce(() => decideBlindness(this.#tracks, failed, this.#policy.alerting));
  };

  /** How many notices wait for delivery, including the one that is being delivered. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Delivers the remaining notices, one attempt each, for at most `drainMs`. May be called more than once. */
  close(): Promise<void> {
    this.#closed ??= this.#drain();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #announce(decide: () => AlertDecision): void {
    if (this.#draining.signal.aborted) throw new UsageError("cannot observe: the alerts are closed");
    const { tracks, changes } = decide();
    this.#tracks = tracks;
    for (const change of changes) {
      const notice = { id: randomUUID(), ...change };
      this.#notify({ type: "notice", notice });
      if (this.#policy.webhook !== null) this.#enqueue(notice, this.#policy.webhook);
    }
  }

  #enqueue(notice: AlertNotice, webhook: WebhookTarget): void {
    this.#queue.push(notice);
    if (this.#queue.length > this.#policy.queueLimit) {
      // The first is being delivered; the second is the oldest that waits.
      const [dropped] = this.#queue.splice(1, 1);
      if (dropped !== undefined) this.#notify(undelivered(dropped, 0, "too many notices wait for delivery"));
    }
    this.#delivering ??= this.#deliverAll(webhook);
  }

  async #deliverAll(webhook: WebhookTarget): Promise<void> {
    try {
      for (let notice = this.#queue[0]; notice !== undefined; notice = this.#queue[0]) {
        const end = await this.#deliver(notice, webhook);
        this.#queue.shift();
        this.#notify(end);
      }
    } finally {
      // In the same turn in which the queue was found empty: a notice in a later turn starts it again.
      this.#delivering = undefined;
    }
  }

  /** Tries until it is delivered or given up → the event that reports which. */
  async #deliver(notice: AlertNotice, webhook: WebhookTarget): Promise<AlertsEvent> {
    const { id, key } = notice;
    const end = await deliverWebhook({
      ...this.#dependencies,
      target: webhook,
      body: encodeShownJson(notice),
      headers: { "redis-batch-notice": id },
      policy: this.#policy.delivery,
      onRetry: (attempt, retryInMs, reason) =>
        this.#notify({ type: "deliveryFailed", id, key, attempt, retryInMs, reason }),
      draining: this.#draining.signal,
      givingUp: this.#givingUp.signal,
    });
    const { attempts } = end;
    if (end.kind === "delivered") return { type: "delivered", id, key, attempts };
    if (end.kind === "undelivered") return undelivered(notice, attempts, end.reason);
    return undelivered(notice, attempts, `${end.reason === null ? "" : `${end.reason}; `}the alerts were closed`);
  }

  async #drain(): Promise<void> {
    this.#draining.abort();
    const cancel = this.#dependencies.clock.setTimer(this.#policy.drainMs, () => this.#givingUp.abort());
    await this.#delivering;
    cancel();
  }
}

function undelivered({ id, key }: AlertNotice, attempts: number, reason: string): AlertsEvent {
  return { type: "undelivered", id, key, attempts, reason };
}

/** The process warning of an event, if there is no observer. */
function describeProblem(event: AlertsEvent): string | undefined {
  return event.type === "undelivered" ? `an alert was not delivered: ${event.reason}` : undefined;
}
