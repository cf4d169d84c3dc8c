/**
 * One connection, as a series of ioredis clients. ioredis reconnects by itself as long as it can. A client that has
 * ended, for whatever reason, or that has gone silent, is replaced by a new one, until `close`. So `closed` is the only
 * state from which a connection cannot recover.
 *
 * | state   | what happens                                             | leaves by                                |
 * |---------|----------------------------------------------------------|------------------------------------------|
 * | new     | there is a client, nothing is opened                     | open · ended · closed                    |
 * | opening | ioredis connects, and retries                            | ready · ended · silent too long · closed |
 * | ready   | a command is written to the socket at once               | connection lost · ended · closed         |
 * | ended   | the client is useless; a new one replaces it after a delay | the delay is over · closed             |
 * | closed  | nothing                                                  | –                                        |
 */
import { type BackoffPolicy, backoffDelayMs } from "../decisions/backoff.ts";
import type { Clock } from "../service/clock.ts";
import type { Random } from "../service/random.ts";
import { endSilenceWatch, endSocket, isWithoutSocket } from "./ioredis-internals/client-state.ts";
import type { RedisClient } from "./redis-client.ts";

/** How long a connection waits before it tries again, with the same or a new client. */
export const RECONNECT: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

/**
 * A client that is opening and emits no event for this long is replaced. Each step of ioredis is an event with its own
 * shorter limit, but some waits have none, such as a request that a frozen Sentinel never answers.
 */
export const OPENING_SILENCE_MS = 30_000;

/** The same for a Cluster that is closing its connections. A Cluster without any would hang forever. */
const CLOSING_SILENCE_MS = 3_000;

/** Commands in flight may still be answered for this long after `close`. ioredis would wait two seconds. */
export const LAST_REPLIES_MS = 500;

/** Events of ioredis while it connects. Each shows that it is not stuck. */
const SIGNS_OF_LIFE = ["connecting", "connect", "reconnecting", "sentinelError", "refresh", "node error"] as const;

export interface ReconnectingClientOptions {
  /** Creates a client that is not connected yet (`lazyConnect`). Called again whenever one has ended. */
  readonly create: () => RedisClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Commands can be sent. */
  readonly onReady: () => void;
  /** A connection, or an attempt to connect, has ended. */
  readonly onDown: () => void;
  /** An error, which has already been handled. */
  readonly onError: (error: unknown) => void;
}

export class ReconnectingClient {
  readonly #options: ReconnectingClientOptions;
  #client: RedisClient;
  #state: "new" | "opening" | "ready" | "ended" | "closed" = "new";
  /** How many clients have ended, or could not be created, since the last connection. */
  #failures = 0;
  #cancelTimer = (): void => {};
  /** The socket is connected, but no data has been exchanged. */
  #isUnanswered = false;
  /** ioredis leaves a listener on the socket each time that it is told to disconnect. */
  #isReopening = false;

  /** Creates the first client, so that unusable options are reported here. Does no I/O. */
  constructor(options: ReconnectingClientOptions) {
    this.#options = options;
    this.#client = options.create();
    this.#follow(this.#client);
  }

  /** The client to use now. Ask again for each command: it may have been replaced. */
  get current(): RedisClient {
    return this.#client;
  }

  // ioredis emits the event a moment after its status has changed; commands sent in between must not wait in a queue.
  get isUsable(): boolean {
    return this.#state === "ready" && this.#client.status === "ready";
  }

  /** Connects, unless that has begun already. */
  open(): void {
    if (this.#state !== "new") return;
    this.#state = "opening";
    this.#watchSilence();
    // The outcome arrives as events; a first attempt that fails is repeated like any other.
    this.#client.connect().catch(() => {});
  }

  /** Drops the current connection, and connects again. Once, however often it is called until that has ended. */
  reopen(): void {
    if (this.#isReopening || (this.#state !== "opening" && this.#state !== "ready")) return;
    this.#isReopening = true;
    this.#client.disconnect(true);
  }

  /** Closes it for good. Commands in flight end within `LAST_REPLIES_MS`. */
  close(): void {
    if (this.#state === "closed") return;
    const isInUse = this.isUsable;
    const client = this.#client;
    this.#state = "closed";
    this.#cancelTimer();
    if (isInUse)
      client.on(
        "close",
        this.#options.clock.setTimer(LAST_REPLIES_MS, () => endSocket(client)),
      );
    client.disconnect();
    if (!isInUse) endSocket(client);
    this.#options.onDown();
  }

  #follow(client: RedisClient): void {
    // Listens even after the client was replaced: ioredis prints errors that have no listener.
    const on = (event: string, react: (detail: unknown) => void): void => {
      client.on(event, (detail: unknown) => {
        if (client === this.#client && this.#state !== "ended" && this.#state !== "closed") react(detail);
      });
    };
    client.on("close", () => endSilenceWatch(client));
    on("ready", () => this.#becomeReady());
    on("connect", () => {
      this.#isReopening = false;
      this.#isUnanswered = !client.isCluster;
    });
    on("close", () => {
      this.#isReopening = false;
      this.#tellClosed();
      this.#lose();
    });
    on("disconnecting", () => this.#lose());
    on("end", () => this.#replace());
    on("error", (error) => {
      this.#isUnanswered = false;
      this.#watchSilence();
      this.#options.onError(error);
    });
    for (const sign of SIGNS_OF_LIFE) on(sign, () => this.#watchSilence());
  }

  #becomeReady(): void {
    if (isWithoutSocket(this.#client)) return this.#replace();
    this.#cancelTimer();
    this.#isUnanswered = false;
    this.#state = "ready";
    this.#failures = 0;
    this.#options.onReady();
  }

  /** Reports a peer that accepts connections and closes them, such as a proxy without its server. ioredis has no error for it. */
  #tellClosed(): void {
    if (!this.#isUnanswered || this.#state !== "opening") return;
    this.#isUnanswered = false;
    this.#options.onError(
      new Error("the server, or a proxy in front of it, closed the connection before it could be used"),
    );
  }

  #lose(): void {
    if (this.#state === "ready") this.#state = "opening";
    this.#watchSilence();
    this.#options.onDown();
  }

  /** Drops a client that is useless, and creates another one after a delay. */
  #replace(): void {
    const left = this.#client;
    this.#state = "ended";
    this.#isReopening = false;
    left.disconnect();
    endSocket(left);
    this.#options.onDown();
    this.#createLater();
  }

  #createLater(): void {
    this.#failures++;
    this.#cancelTimer();
    const delayMs = backoffDelayMs(this.#failures, RECONNECT, this.#options.random);
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => this.#createAgain());
  }

  #createAgain(): void {
    try {
      this.#client = this.#options.create();
    } catch (error) {
      // The options of an existing client may have changed meanwhile, and may be changed back.
      this.#options.onError(error);
      return this.#createLater();
    }
    this.#state = "new";
    this.#follow(this.#client);
    this.open();
  }

  #watchSilence(): void {
    if (this.#state !== "opening") return;
    this.#cancelTimer();
    const silenceMs = longestSilenceMs(this.#client);
    this.#cancelTimer = this.#options.clock.setTimer(silenceMs, () => {
      // ioredis itself watches a socket that owes a reply. A server may take as long as it needs to load its data.
      if (!this.#client.isCluster && this.#client.status === "connect") return this.#watchSilence();
      this.#options.onError(
        new Error(`connecting made no progress for ${silenceMs} ms (ioredis status "${this.#client.status}")`),
      );
      this.#replace();
    });
  }
}

function longestSilenceMs(client: RedisClient): number {
  if (client.isCluster) return client.status === "disconnecting" ? CLOSING_SILENCE_MS : OPENING_SILENCE_MS;
  return Math.max(OPENING_SILENCE_MS, 2 * (client.options.connectTimeout ?? 0));
}
