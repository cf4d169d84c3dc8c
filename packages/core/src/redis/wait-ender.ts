/**
 * Ends reads that wait at the server, with CLIENT UNBLOCK: because they are not wanted any more, or because the server
 * does not end them. It needs the client id of the connection that reads. In a Cluster that is one of several, to the
 * node that has the stream, which only a read shows.
 */
import { PermissionError } from "../errors/errors.ts";
import { unlessRefused } from "../errors/null-if-forbidden.ts";
import { type Clock, pause } from "../service/clock.ts";
import { decodeInteger } from "../wire/reply.ts";
import type { Connection } from "./connection.ts";

/**
 * When to repeat CLIENT UNBLOCK until the server has confirmed it: with doubling delays, because behind some proxies it
 * never works.
 */
const AGAIN_MS = 20;

/** The connection that reads, at one server. */
interface Reader {
  /** `null` if the server does not tell. */
  readonly clientId: number | null;
  /** The node of a Cluster that knows it by this id. */
  readonly address: string | undefined;
  /** Whether reads still go over this connection: to another, the id would be that of another client. */
  readonly isCurrent: () => boolean;
}

/** Ends the read that is under way; has to be told when it is over. */
export type EndWait = (isOver: () => boolean) => Promise<void>;

export class WaitEnder {
  readonly #reader: Connection;
  readonly #commands: Connection;
  readonly #clock: Clock;
  #known: Reader | undefined;
  #mayUnblock = true;

  constructor(reader: Connection, commands: Connection, clock: Clock) {
    this.#reader = reader;
    this.#commands = commands;
    this.#clock = clock;
  }

  /** Whether only a read without waiting shows how the next one could be ended; see `learnFrom`. */
  get mustLearn(): boolean {
    return this.#reader.isCluster && this.#mayUnblock && this.#known?.isCurrent() !== true;
  }

  /** Learns from a read that does not wait where the next one will wait. What it brought is not kept waiting for that. */
  async learnFrom<Entry>(read: () => Promise<readonly Entry[]>): Promise<readonly Entry[]> {
    const findServer = this.#reader.followServer();
    const result = await read();
    if (result.length > 0) return result;
    const server = findServer();
    const reply = server === undefined ? null : await unlessRefused(server.call("client", ["ID"]));
    this.#known = {
      clientId: reply === null ? null : decodeInteger(reply, "CLIENT ID"),
      address: server?.address,
      isCurrent: () => findServer() !== undefined,
    };
    return result;
  }

  /** How the next read can be ended; `null` if it cannot. */
  async prepare(): Promise<EndWait | null> {
    if (!this.#mayUnblock) return null;
    // Once: without a connection there is nothing to learn, and the read itself fails.
    if (!this.#reader.isCluster && this.#known?.isCurrent() !== true) await this.learnFrom(async () => []);
    const { clientId = null, address, isCurrent } = this.#known ?? {};
    if (clientId === null || isCurrent?.() !== true) return null;
    return (isOver) => this.#unblock(clientId, address, isOver);
  }

  // Repeated, because the read may not have reached the server when the first CLIENT UNBLOCK does.
  async #unblock(clientId: number, address: string | undefined, isOver: () => boolean): Promise<void> {
    for (let waitMs = AGAIN_MS; !isOver(); waitMs *= 2) {
      try {
        const reply = await this.#commands.callAt(address, "client", ["UNBLOCK", clientId]);
        if (decodeInteger(reply, "CLIENT UNBLOCK") === 1) return;
      } catch (error) {
        // Without the right to do it, the block times out by itself; other errors are temporary, or end the read anyway.
        if (PermissionError.is(error)) this.#mayUnblock = false;
        if (!this.#mayUnblock || this.#commands.isClosed) return;
      }
      await pause(this.#clock, waitMs);
    }
  }
}
