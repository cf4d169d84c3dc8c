import type { AlertChange } from "../decisions/alerting.ts";

/** An announcement, as the callback and the webhook receive it. */
export interface AlertNotice extends AlertChange {
  /** Unique per notice, and the same at every attempt to deliver it. */
  readonly id: string;
}

/** Events of the alerts: announcements and their delivery. The contract is `docs/events.md`. */
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
