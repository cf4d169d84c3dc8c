import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { delayOf, type Faults, slices, transferMs } from "./faults.ts";

/** What a line reads from its proxy; the values may change at any time. */
export interface LineOwner {
  faults(): Faults;
  chance(): number;
  /** Settles at once, unless nothing may pass now. */
  passable(): Promise<void>;
  /** How many of these bytes pass before the connection is cut; `undefined`: all of them, and no cut. */
  cutWithin(byteCount: number): number | undefined;
  passed(byteCount: number): void;
  /** The cut that {@link cutWithin} announced: the bytes before it have passed. */
  cut(): void;
}

/** A piece of data in transit, or the end of the stream. */
interface Item {
  readonly bytes: Buffer | undefined;
  readonly dueAtMs: number;
}

/** How much data one line holds before it stops reading, as a real one does. */
const HELD_BYTES = 1024 * 1024;

/** Carries one direction of one connection, with its faults, until `closed` is aborted. */
export function connectFaultyLine(from: Socket, to: Socket, owner: LineOwner, closed: AbortSignal): void {
  const line = new FaultyLine(from, to, owner, closed);
  from.on("data", (bytes: Buffer) => line.arrive(bytes));
  from.once("end", () => line.arrive(undefined));
}

class FaultyLine {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #owner: LineOwner;
  readonly #closed: AbortSignal;
  readonly #items: Item[] = [];
  #heldBytes = 0;
  #delivering = false;

  constructor(from: Socket, to: Socket, owner: LineOwner, closed: AbortSignal) {
    this.#from = from;
    this.#to = to;
    this.#owner = owner;
    this.#closed = closed;
  }

  /** Accepts a piece of data, or (`undefined`) the end of the stream. */
  arrive(bytes: Buffer | undefined): void {
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes > HELD_BYTES) this.#from.pause();
    this.#items.push({ bytes, dueAtMs: performance.now() + delayOf(this.#owner.faults(), this.#owner.chance()) });
    if (this.#delivering) return;
    this.#delivering = true;
    // A closed connection ends its pauses with an AbortError; there is no receiver any more.
    this.#deliverAll().catch(() => undefined);
  }

  async #deliverAll(): Promise<void> {
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      await this.#owner.passable();
      const earlyMs = item.dueAtMs - performance.now();
      if (earlyMs > 0) await pause(earlyMs, undefined, { signal: this.#closed });
      if (this.#closed.aborted) return;
      if (item.bytes === undefined) this.#to.end();
      else await this.#deliver(item.bytes);
    }
    this.#delivering = false;
  }

  async #deliver(bytes: Buffer): Promise<void> {
    const faults = this.#owner.faults();
    const busyMs = transferMs(faults, bytes.length);
    if (busyMs > 0) await pause(busyMs, undefined, { signal: this.#closed });
    await this.#owner.passable();
    const passing = this.#owner.cutWithin(bytes.length);
    for (const piece of slices(bytes.subarray(0, passing), faults.sliceBytes)) {
      await this.#write(piece);
      if (faults.sliceBytes > 0) await nextTurn();
    }
    if (passing !== undefined) this.#owner.cut();
    this.#heldBytes -= bytes.length;
    if (this.#heldBytes <= HELD_BYTES) this.#from.resume();
  }

  async #write(piece: Buffer): Promise<void> {
    if (this.#closed.aborted || piece.length === 0) return;
    this.#owner.passed(piece.length);
    if (!this.#to.write(piece)) await once(this.#to, "drain", { signal: this.#closed });
  }
}
