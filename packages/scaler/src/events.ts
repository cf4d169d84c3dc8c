import type { ErrorInfo } from "@redis-batch/core";
import type { Decision } from "./decisions/decision.ts";

/** Events of a scaler, reported after the fact. */
export type ScalerEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not reported since the last connection. It keeps trying. */
  | { readonly type: "connectFailed"; readonly reason: string }
  /** In `run` with an executor: this scaler leads from now on, with this term. */
  | { readonly type: "leading"; readonly term: number }
  /** In `run` with an executor: another scaler leads, this one stands by. */
  | { readonly type: "following"; readonly term: number }
  /** Another scaler took the lead before an order was given, so it was not given. */
  | { readonly type: "superseded"; readonly from: number; readonly to: number; readonly executor: string }
  /** `executor` is `null` if there is none. */
  | { readonly type: "decided"; readonly decision: Decision; readonly executor: string | null }
  | { readonly type: "scaled"; readonly from: number; readonly to: number; readonly executor: string }
  | {
      readonly type: "scaleFailed";
      readonly from: number;
      readonly to: number;
      readonly executor: string;
      readonly error: ErrorInfo;
    }
  /** The group could not be observed, so nothing is decided and nothing changes. */
  | { readonly type: "passFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  | { readonly type: "closed" };
