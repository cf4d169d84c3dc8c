/** Bounds the memory of a producer: what it has accepted and what has not ended yet. */

export interface AdmissionLimits {
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  #messages = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Messages accepted and not ended. */
  get messages(): number {
    return this.#messages;
  }

  /** Their payload bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether one more message of this size fits. The first one always does, or it could never be sent. */
  fits(bytes: number): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#limits.maxQueued && this.#bytes + bytes <= this.#limits.maxQueuedBytes;
  }

  /** Whether a source that can wait may go on: half of the room is left to those who cannot. */
  get hasRoomForMany(): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#limits.maxQueued / 2 && this.#bytes < this.#limits.maxQueuedBytes / 2;
  }

  enter(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
    if (this.#waiting.length > 0) for (const look of this.#waiting.splice(0)) look();
  }

  /** Resolves when the next message has ended; at once when none is accepted. */
  change(): Promise<void> {
    return this.#messages === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
