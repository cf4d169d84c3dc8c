/** Counts the work of this consumer on a stream from its events. */
import { addBatch, NO_WORK, type WorkCounters } from "@redis-batch/core/internal/groups";
import type { StreamEvent } from "../events.ts";

export class WorkCounter {
  #work = NO_WORK;
  #acked = 0;
  #deadLettered = 0;

  get work(): WorkCounters {
    return this.#work;
  }

  /** Messages acknowledged so far. */
  get acked(): number {
    return this.#acked;
  }

  get deadLettered(): number {
    return this.#deadLettered;
  }

  /** Whether it has read messages or worked on a batch. */
  get hasWorked(): boolean {
    return this.#work.delivered > 0 || this.#work.batches > 0;
  }

  count(event: StreamEvent): void {
    switch (event.type) {
      case "read":
        this.#work = { ...this.#work, delivered: this.#work.delivered + event.messages };
        break;
      case "batchEnded":
        this.#work = addBatch(this.#work, event.messages, event.durationMs);
        break;
      case "acknowledged":
        this.#acked += event.messages;
        break;
      case "deadLettered":
        this.#deadLettered++;
        break;
      default:
    }
  }
}
