/** What a dashboard reports. Plain data: names, counts and times, never payloads or tokens. */
import type { ErrorInfo } from "@redis-batch/core";

export type DashboardEvent =
  /** Connected for the first time, or again. */
  | { readonly type: "connected" }
  /** The connection was lost; it is made again. */
  | { readonly type: "disconnected"; readonly reason: string }
  | { readonly type: "connectFailed"; readonly reason: string }
  /** One look at all streams. */
  | { readonly type: "looked"; readonly streams: number; readonly groups: number; readonly durationMs: number }
  | { readonly type: "lookFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  /** A request was answered with 401 or 403; `reason` says why. */
  | { readonly type: "refused"; readonly status: number; readonly reason: string }
  /** A request could not be answered. */
  | { readonly type: "requestFailed"; readonly path: string; readonly error: ErrorInfo }
  /** Somebody has redriven or discarded dead letters. */
  | {
      readonly type: "acted";
      readonly who: string;
      readonly action: "redrive" | "discard";
      readonly stream: string;
      readonly group: string;
      /** Dead letters that were redriven, added again or discarded. */
      readonly done: number;
      /** Dead letters of the plan that were not. */
      readonly left: number;
    }
  /** Somebody has paused or resumed a group, or changed its rate. */
  | {
      readonly type: "groupActed";
      readonly who: string;
      readonly action: "pause" | "resume" | "rate";
      readonly stream: string;
      readonly group: string;
      /** Why it failed; `null`: it did not. */
      readonly error: string | null;
    }
  | { readonly type: "closed" };
