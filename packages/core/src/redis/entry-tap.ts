/**
 * Takes the entries of XREADGROUP replies out of what the server sends, before ioredis decodes it. ioredis gets an
 * integer in the place of each such reply, so that every command still finds its end, and everything else unchanged:
 * connecting, TLS, user and password, Sentinel, reconnecting and the watch over silence stay its own.
 */
import type { Redis } from "ioredis";
import type { StreamEntry } from "../wire/entry.ts";
import { ReplyScanner } from "../wire/reply-scanner.ts";

type Listener = (this: Redis["stream"], bytes: Buffer) => void;

export class EntryTap {
  readonly #taken = new Map<number, readonly StreamEntry[]>();
  #receipts = 0;

  /** The client must not have been connected before. It must speak RESP2: other replies are left to ioredis. */
  constructor(client: Redis) {
    // Emitted for each new socket: after ioredis has begun to listen to it, and before anything has come in.
    client.on("connect", () => this.#listen(client.stream));
  }

  /** The entries for which ioredis gave this reply; `undefined` when the reply is the server's own. */
  redeem(reply: unknown): readonly StreamEntry[] | undefined {
    if (typeof reply !== "number") return undefined;
    const entries = this.#taken.get(reply);
    this.#taken.delete(reply);
    return entries;
  }

  #listen(socket: Redis["stream"]): void {
    const listener = decoderOf(socket);
    // Where it is not found, ioredis reads everything, and the result is the same.
    if (listener === undefined) return;
    const decode = (bytes: Buffer): void => listener.call(socket, bytes);
    this.#taken.clear();
    const scanner = new ReplyScanner({
      pass: decode,
      take: (entries) => {
        this.#receipts++;
        this.#taken.set(this.#receipts, entries);
        decode(Buffer.from(`:${this.#receipts}\r\n`));
      },
    });
    // In front, as the decoder was: ioredis's watch over silence looks at what has been decoded.
    socket.prependListener("data", (chunk: Buffer) => scanner.write(chunk));
    socket.off("data", listener);
  }
}

/** The one lasting listener, which is ioredis's decoder; beside it there are only some that listen once. */
function decoderOf(socket: Redis["stream"]): Listener | undefined {
  const lasting = socket.rawListeners("data").filter((listener) => !("listener" in listener));
  return lasting.length === 1 ? (lasting[0] as Listener) : undefined;
}
