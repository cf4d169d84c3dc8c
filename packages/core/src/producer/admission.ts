/** Limits the memory of a producer: messages that it has accepted and that have not ended yet. */

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

  /** Messages accepted but not ended. */
  get messages(): number {
    return this.#messages;
  }

  /** Their payload bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether one more message of this size fits. The first one always fits, or it could never be sent. */
  fits(bytes: number): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#limits.maxQueued && this.#bytes + bytes <= this.#limits.maxQueuedBytes;
  }

  /** Whether a source that can wait may continue: it leaves half of the room to calls that cannot wait. */
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

  /** Resolves when the next message has ended; at once if there is none. */
  change(): Promise<void> {
    return this.#messages === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
