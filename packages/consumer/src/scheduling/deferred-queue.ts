/** Deferred messages, the one that is due first on top. */
import { compareEntryIds } from "@redis-batch/core";
import { PriorityQueue } from "@redis-batch/core/internal/service";

/** A deferred message: only its id is kept, and its payload is read again when it is due. */
export interface Deferred {
  readonly id: string;
  /** How often it has been delivered. */
  readonly deliveries: number;
  /** When it is read again, by the local clock. Changed only while it is in no queue. */
  dueAtMs: number;
  /** Before this time it is only offered together with new messages. Changed only while it is in no queue. */
  ripeAtMs: number;
  /** Whether it is offered alone, and only when no other suspect is at work. Changed only while it is in no queue. */
  isSuspect: boolean;
  /** Whether it has failed in this process. */
  readonly hasFailedHere: boolean;
  /** Whether the server counts one delivery more: it was delivered here, and put away before it was offered. */
  readonly isCountedAhead?: boolean;
}

/** Messages that were deferred, the one that is due first on top. */
export class DeferredQueue extends PriorityQueue<Deferred> {
  constructor() {
    super(isBefore);
  }
}

/** What is due at the same time goes in stream order. */
function isBefore(left: Deferred, right: Deferred): boolean {
  return left.dueAtMs === right.dueAtMs ? compareEntryIds(left.id, right.id) < 0 : left.dueAtMs < right.dueAtMs;
}
