import type { EntryId, ErrorInfo } from "@redis-batch/core";
import type { ConsumerStatus, GroupHealth } from "./report.ts";

/** Events of a monitor, reported after the fact. The contract is `docs/events.md`. */
export type MonitorEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not reported since the last connection. It keeps trying. */
  | { readonly type: "connectFailed"; readonly reason: string }
  | { readonly type: "leading" }
  | { readonly type: "following" }
  | { readonly type: "inspected"; readonly groups: number; readonly consumers: number; readonly durationMs: number }
  | { readonly type: "passFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  | {
      readonly type: "groupChanged";
      readonly group: string;
      /** `null` if the group is new to the monitor. */
      readonly from: GroupHealth | null;
      readonly to: GroupHealth;
      readonly reason: string;
    }
  | {
      readonly type: "consumerChanged";
      readonly group: string;
      readonly consumer: string;
      /** `null` if the consumer is new to the monitor. */
      readonly from: ConsumerStatus | null;
      /** `null` if the consumer has left the group. */
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
      /** How many unread messages are known to be lost; `null` if the server does not know. */
      readonly unread: number | null;
      /** Whether pending messages were lost. */
      readonly pending: boolean;
    }
  | { readonly type: "closed" };
