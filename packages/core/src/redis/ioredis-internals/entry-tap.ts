/**
 * Takes the entries of XREADGROUP replies out of the server's bytes, before ioredis decodes them. ioredis gets an integer
 * in place of each such reply, so that every command still gets a reply, and everything else unchanged: ioredis still
 * does the connecting, TLS, authentication, Sentinel, reconnecting and the detection of silent connections.
 */
import type { Redis } from "ioredis";
import type { StreamEntries } from "../../wire/entry.ts";
import { ReplyScanner } from "../../wire/reply-scanner.ts";
import type { RedisClient } from "../redis-client.ts";

type Socket = Redis["stream"];
type Listener = (this: Socket, bytes: Buffer) => void;

export class EntryTap {
  readonly #taken = new Map<number, { readonly streams: readonly StreamEntries[]; readonly socket: Socket }>();
  #receipts = 0;

  /** The client must not have been connected before. It must use RESP2: other replies are left to ioredis. */
  constructor(client: RedisClient) {
    // A Cluster has a client for each node, and makes another one whenever that has ended.
    if (client.isCluster) client.on("+node", (node) => this.#follow(node as RedisClient));
    else this.#follow(client);
  }

  #follow(client: RedisClient): void {
    // Emitted for each new socket: after ioredis has begun to listen to it, and before any data has arrived.
    client.on("connect", () => this.#listen((client as Redis).stream));
  }

  /** The entries, by stream, that this reply of ioredis stands for; `undefined` if it is the server's own reply. */
  redeem(reply: unknown): readonly StreamEntries[] | undefined {
    if (typeof reply !== "number") return undefined;
    const taken = this.#taken.get(reply);
    this.#taken.delete(reply);
    return taken?.streams;
  }

  #listen(socket: Socket | undefined): void {
    const listener = socket === undefined ? undefined : decoderOf(socket);
    // If it is not found, ioredis reads everything, and the result is the same.
    if (socket === undefined || listener === undefined) return;
    const decode = (bytes: Buffer): void => listener.call(socket, bytes);
    // What nobody has redeemed by the next turn was for a call that had been given up.
    socket.once("close", () => setImmediate(() => this.#forget(socket)));
    const scanner = new ReplyScanner({
      pass: decode,
      take: (streams) => {
        this.#receipts++;
        this.#taken.set(this.#receipts, { streams, socket });
        decode(Buffer.from(`:${this.#receipts}\r\n`));
      },
    });
    // First, where the decoder was: ioredis detects silence by the decoded data.
    socket.prependListener("data", (chunk: Buffer) => scanner.write(chunk));
    socket.off("data", listener);
  }

  #forget(ended: Socket): void {
    for (const [receipt, { socket }] of this.#taken) if (socket === ended) this.#taken.delete(receipt);
  }
}

/**
 * ioredis's decoder. Relies on it being the only permanent listener to the socket's bytes; all others listen once.
 */
function decoderOf(socket: Socket): Listener | undefined {
  const lasting = socket.rawListeners("data").filter((listener) => !("listener" in listener));
  return lasting.length === 1 ? (lasting[0] as Listener) : undefined;
}
