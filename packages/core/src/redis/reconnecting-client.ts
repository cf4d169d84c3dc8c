/**
 * The life of one connection: one ioredis client after another. ioredis reconnects by itself for as long as it can. A
 * client that has ended, whatever ended it, or that no longer says anything, is replaced by a fresh one: again and
 * again, until `close`. So `closed` is the only state from which a connection cannot come back.
 *
 * | state   | what happens                                             | leaves by                                |
 * |---------|----------------------------------------------------------|------------------------------------------|
 * | new     | there is a client, nothing is opened                     | open · ended · closed                    |
 * | opening | ioredis connects, and repeats what fails                 | ready · ended · silent too long · closed |
 * | ready   | a command is written to the socket at once               | connection lost · ended · closed         |
 * | ended   | the client is of no use; a fresh one comes after a delay | the delay is over · closed               |
 * | closed  | nothing                                                  | –                                        |
 */
import type { Cluster, Redis } from "ioredis";
import { type BackoffPolicy, backoffDelayMs } from "../decisions/backoff.ts";
import type { Clock } from "../service/clock.ts";
import type { Random } from "../service/random.ts";

/** How long a connection waits before it tries again, whether ioredis repeats or a fresh client does. */
export const RECONNECT: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

/**
 * A client that is opening and says nothing for this long is replaced. Each step that ioredis takes is an event, and
 * has a limit of its own below this; what has none is, for example, a question that a frozen Sentinel never answers.
 */
export const OPENING_SILENCE_MS = 30_000;

/** The same for a Cluster that is closing its connections. One that has none never gets any further by itself. */
const CLOSING_SILENCE_MS = 3_000;

/** What ioredis tells while it connects. Each of these says that it has not come to a standstill. */
const SIGNS_OF_LIFE = ["connecting", "connect", "reconnecting", "sentinelError", "refresh", "node error"] as const;

export interface ReconnectingClientOptions {
  /** Makes a client that is not connected yet (`lazyConnect`). Called again for each one that has ended. */
  readonly create: () => Redis | Cluster;
  readonly clock: Clock;
  readonly random: Random;
  /** Commands can be sent. */
  readonly onReady: () => void;
  /** A connection, or an attempt at one, is over. */
  readonly onDown: () => void;
  /** Something went wrong. What is to be done about it is done already. */
  readonly onError: (error: unknown) => void;
}

export class ReconnectingClient {
  readonly #options: ReconnectingClientOptions;
  #client: Redis | Cluster;
  #state: "new" | "opening" | "ready" | "ended" | "closed" = "new";
  /** How many clients ended, or could not be made, since there was a connection. */
  #failures = 0;
  #cancelTimer = (): void => {};
  /** There is a socket, and nothing was said over it yet. */
  #isUnanswered = false;

  /** Makes the first client, so that options which cannot be used are reported here. Does no I/O. */
  constructor(options: ReconnectingClientOptions) {
    this.#options = options;
    this.#client = options.create();
    this.#follow(this.#client);
  }

  /** The client to use now. Ask again for each command: it may have been replaced. */
  get current(): Redis | Cluster {
    return this.#client;
  }

  // ioredis tells of a change a moment after its status has changed; what is sent in between must not wait in a queue.
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

  /** Gives up the connection there is, and connects again. */
  reopen(): void {
    if (this.#state === "opening" || this.#state === "ready") this.#client.disconnect(true);
  }

  /** Closes it at once and for good. */
  close(): void {
    if (this.#state === "closed") return;
    const isInUse = this.isUsable;
    this.#state = "closed";
    this.#cancelTimer();
    this.#client.disconnect();
    if (!isInUse) endSocket(this.#client);
    this.#options.onDown();
  }

  #follow(client: Redis | Cluster): void {
    // Listens even after the client was replaced: ioredis prints errors to which nobody listens.
    const on = (event: string, react: (detail: unknown) => void): void => {
      client.on(event, (detail: unknown) => {
        if (client === this.#client && this.#state !== "ended" && this.#state !== "closed") react(detail);
      });
    };
    client.on("close", () => endWatch(client));
    on("ready", () => this.#becomeReady());
    on("connect", () => {
      this.#isUnanswered = !client.isCluster;
    });
    on("close", () => {
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
    // ioredis 5 without a ready check may say so of a connection that has ended meanwhile, and then never connects again.
    if (isWithoutSocket(this.#client)) return this.#replace();
    this.#cancelTimer();
    this.#isUnanswered = false;
    this.#state = "ready";
    this.#failures = 0;
    this.#options.onReady();
  }

  /** What lets everybody in, as a proxy whose server is away, and then closes: of this ioredis has no word. */
  #tellClosed(): void {
    if (!this.#isUnanswered || this.#state !== "opening") return;
    this.#isUnanswered = false;
    this.#options.onError(new Error("the server, or a proxy before it, closed the connection before it could be used"));
  }

  #lose(): void {
    if (this.#state === "ready") this.#state = "opening";
    this.#watchSilence();
    this.#options.onDown();
  }

  /** Leaves a client that is of no use any more, and makes another one after a while. */
  #replace(): void {
    const left = this.#client;
    this.#state = "ended";
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
      // What a lent client is made of may have been changed meanwhile, and may be changed back.
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
      // ioredis itself watches a socket that owes a reply; and a server may take as long as it needs to load its data.
      if (!this.#client.isCluster && this.#client.status === "connect") return this.#watchSilence();
      this.#options.onError(
        new Error(`connecting came to a standstill ("${this.#client.status}") for ${silenceMs} ms`),
      );
      this.#replace();
    });
  }
}

function longestSilenceMs(client: Redis | Cluster): number {
  if (client.isCluster) return client.status === "disconnecting" ? CLOSING_SILENCE_MS : OPENING_SILENCE_MS;
  return Math.max(OPENING_SILENCE_MS, 2 * ((client as Redis).options.connectTimeout ?? 0));
}

function isWithoutSocket(client: Redis | Cluster): boolean {
  if (client.isCluster) return false;
  const { stream } = client as Redis;
  return stream.destroyed || stream.connecting;
}

/**
 * Ends at once what is left of a connection that was not in use. ioredis gives the other side two seconds to end it as
 * well, which keep the process: where the server is silent, and even where there is no socket any more. (What a Cluster
 * and Sentinel use for their own ends is out of reach.)
 */
function endSocket(client: Redis | Cluster): void {
  const { stream } = client as Partial<Pick<Redis, "stream">>;
  stream?.destroy();
  // It had ended before ioredis began to wait for that, and would not tell again by itself.
  if (stream?.closed) stream.emit("close");
}

/** ioredis 5 goes on to watch over the silence of a connection that has ended, and then ends the next one for it. */
function endWatch(client: Redis | Cluster): void {
  clearTimeout(Reflect.get(client, "socketTimeoutTimer") as NodeJS.Timeout | undefined);
  Reflect.set(client, "socketTimeoutTimer", undefined);
}
