import { compareEntryIds, PriorityQueue } from "@redis-batch/core/internal";

/** A message that was deferred: its id only, its payload is read again when it is due. */
export interface Deferred {
  readonly id: string;
  /** How often it was delivered so far. */
  readonly deliveries: number;
  /** When it is read again, by the local clock. */
  readonly dueAtMs: number;
  /** Before this moment it may only accompany new messages. */
  readonly ripeAtMs: number;
  /** Whether it is offered alone, and not before another one like it has ended. */
  readonly isSuspect: boolean;
  /** Whether it has failed in this process. */
  readonly hasFailedHere: boolean;
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
