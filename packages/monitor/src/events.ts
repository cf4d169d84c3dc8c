import type { EntryId, ErrorInfo } from "@redis-batch/core/internal";
import type { ConsumerStatus, GroupHealth } from "./report.ts";

/** What a monitor saw and did, reported after it did it. The contract is `docs/events.md`. */
export type MonitorEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not told since there was a connection. It goes on being tried for. */
  | { readonly type: "connectFailed"; readonly reason: string }
  | { readonly type: "leading" }
  | { readonly type: "following" }
  | { readonly type: "inspected"; readonly groups: number; readonly consumers: number; readonly durationMs: number }
  | { readonly type: "passFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  | {
      readonly type: "groupChanged";
      readonly group: string;
      /** `null` when the group is seen for the first time. */
      readonly from: GroupHealth | null;
      readonly to: GroupHealth;
      readonly reason: string;
    }
  | {
      readonly type: "consumerChanged";
      readonly group: string;
      readonly consumer: string;
      /** `null` when the consumer is seen for the first time. */
      readonly from: ConsumerStatus | null;
      /** `null` when the consumer is gone from the group. */
      readonly to: ConsumerStatus | null;
      readonly reason: string;
    }
  | {
      readonly type: "handedOver";
      readonly group: string;
      readonly from: string;
      readonly to: string;
      readonly messages: number;
    }
  | {
      readonly type: "leftPending";
      readonly group: string;
      readonly consumer: string;
      readonly messages: number;
      readonly reason: string;
    }
  | { readonly type: "pendingTrimmed"; readonly group: string; readonly consumer: string; readonly messages: number }
  | { readonly type: "consumerRemoved"; readonly group: string; readonly consumer: string }
  | {
      readonly type: "trimmed";
      readonly entries: number;
      readonly safeId: EntryId;
      readonly pinnedBy: string;
    }
  | {
      readonly type: "messagesLost";
      readonly group: string;
      /** How many are known to be gone that the group had not read; `null` when the server does not know. */
      readonly unread: number | null;
      /** Whether pending ones are gone. */
      readonly pending: boolean;
    }
  | { readonly type: "closed" };
