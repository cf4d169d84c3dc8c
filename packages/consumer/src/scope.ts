/** What every part of a consumer has. The constructor of a part takes the scope, and the other parts that it uses. */

import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { Clock, Lifecycle, Random } from "@redis-batch/core/internal/service";
import type { ConsumerEvent } from "./events.ts";
import type { ConsumerPolicy } from "./options.ts";
import type { ReplySize } from "./receiving/reply-size.ts";
import type { HeldMessages } from "./scheduling/held-messages.ts";
import type { Signals } from "./signals.ts";
import type { Usage } from "./usage.ts";

export interface Scope<Value = unknown> {
  readonly policy: ConsumerPolicy<Value>;
  readonly client: StreamClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly lifecycle: Lifecycle;
  readonly usage: Usage;
  /** Every message that this consumer holds. */
  readonly held: HeldMessages<Value>;
  readonly replySize: ReplySize;
  readonly signals: Signals;
  readonly report: (event: ConsumerEvent) => void;
  /** Ends the consumer because of an error that cannot pass. */
  readonly fail: (error: unknown) => void;
}
