/** Starts the work on a stream: connects, joins the group under the consumer's name, and starts the loops. Tries again after errors that may pass. */
import { ConfigError, RedisBatchError } from "@redis-batch/core";
import { probeCapabilities } from "@redis-batch/core/internal/connection";
import { refusePartitions } from "@redis-batch/core/internal/groups";
import type { Scope } from "../scope.ts";
import type { Acknowledger } from "../settling/acknowledger.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { joinGroup } from "./join-group.ts";
import { retryUntil } from "./retry-until.ts";

export interface StartupParts<Value> {
  readonly heartbeat: Heartbeat;
  readonly acknowledger: Acknowledger<Value>;
  readonly loops: readonly { start(): void }[];
}

export class Startup<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: StartupParts<Value>;
  readonly #aborter = new AbortController();
  #starting: Promise<boolean> | undefined;
  #hasJoined = false;

  constructor(scope: Scope<Value>, parts: StartupParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  /** Whether the consumer has joined the group under its name. */
  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  /**
   * Resolves with `true` when the consumer runs, and with `false` when it was stopped before, which is no failure.
   *
   * @throws an error that cannot pass, or the last one when `connectTimeoutMs` is over
   */
  start(): Promise<boolean> {
    this.#starting ??= this.#aborter.signal.aborted ? Promise.resolve(false) : this.#start();
    return this.#starting;
  }

  /** Ends the attempt that is under way, and allows no further one. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#aborter.abort();
    await this.#starting?.catch(() => {});
  }

  async #start(): Promise<boolean> {
    const { clock, random, policy, lifecycle } = this.#scope;
    lifecycle.moveTo("starting");
    const { signal } = this.#aborter;
    const options = { clock, random, timeoutMs: policy.connectTimeoutMs, signal };
    return retryUntil((leftMs) => this.#connect(leftMs), options);
  }

  async #connect(timeoutMs: number): Promise<boolean> {
    const { client, policy, lifecycle, report } = this.#scope;
    const { heartbeat, acknowledger, loops } = this.#parts;
    const { signal } = this.#aborter;
    await client.connect(["commands", "reader"], { timeoutMs, signal, stream: policy.stream });
    if (policy.onAck === "delete") acknowledger.learn(await probeCapabilities(client, policy));
    // With partitions the number was compared before, and this stream is one of them.
    if (policy.partitions === undefined) await refusePartitions(client, policy.stream);
    const isNewGroup = await joinGroup(client, policy);
    if (isNewGroup) report({ type: "groupCreated", position: policy.startFrom, recreated: false });
    try {
      await heartbeat.join(signal);
    } catch (error) {
      if (ConfigError.is(error)) await this.#removeName();
      throw error;
    }
    this.#hasJoined = true;
    if (lifecycle.state !== "starting") return false;
    lifecycle.moveTo("running");
    for (const loop of loops) loop.start();
    return true;
  }

  /** Who may not join leaves no name in the group. Best effort. */
  async #removeName(): Promise<void> {
    const { client, policy } = this.#scope;
    const { stream, group, name: consumer } = policy;
    try {
      await client.removeIfEmpty({ stream, group, consumer, onlyIfSilent: true });
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
    }
  }
}
