import type { ErrorInfo } from "@redis-batch/core/internal";
import type { Decision } from "./decisions/decision.ts";

/** What a scaler did, reported after it did it. */
export type ScalerEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not told since there was a connection. It goes on being tried for. */
  | { readonly type: "connectFailed"; readonly reason: string }
  /** In `run` with an executor: this scaler acts from now on, under this number. */
  | { readonly type: "leading"; readonly term: number }
  /** In `run` with an executor: another one acts, this one watches. */
  | { readonly type: "following"; readonly term: number }
  /** Before an order was given another scaler took the lead; it was not given. */
  | { readonly type: "superseded"; readonly from: number; readonly to: number; readonly executor: string }
  /** `executor` is `null` where nobody carries decisions out. */
  | { readonly type: "decided"; readonly decision: Decision; readonly executor: string | null }
  | { readonly type: "scaled"; readonly from: number; readonly to: number; readonly executor: string }
  | {
      readonly type: "scaleFailed";
      readonly from: number;
      readonly to: number;
      readonly executor: string;
      readonly error: ErrorInfo;
    }
  /** Nothing could be observed, so nothing is decided, and everything stays as it is. */
  | { readonly type: "passFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  | { readonly type: "closed" };
