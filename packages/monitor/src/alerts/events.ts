import type { AlertChange } from "../decisions/alerting.ts";

/** What is announced, as the callback and the webhook get it. */
export interface AlertNotice extends AlertChange {
  /** Unlike that of any other notice, and the same at every attempt to deliver it. */
  readonly id: string;
}

/** What the alerts announced, and how its delivery went. The contract is `docs/events.md`. */
export type AlertsEvent =
  | { readonly type: "notice"; readonly notice: AlertNotice }
  | { readonly type: "delivered"; readonly id: string; readonly key: string; readonly attempts: number }
  | {
      readonly type: "deliveryFailed";
      readonly id: string;
      readonly key: string;
      readonly attempt: number;
      readonly retryInMs: number;
      readonly reason: string;
    }
  | {
      readonly type: "undelivered";
      readonly id: string;
      readonly key: string;
      readonly attempts: number;
      readonly reason: string;
    };
