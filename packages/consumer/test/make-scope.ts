/** The scope of a consumer that does not run, for tests of one part: a Redis in memory, and a clock that only the test moves. */
import { Lifecycle } from "@redis-batch/core/internal/service";
import { ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { type ConsumerPolicy, resolveConsumerOptions } from "../src/options.ts";
import { LookTimes } from "../src/receiving/look-times.ts";
import { ReplySize } from "../src/receiving/reply-size.ts";
import { OwnReads } from "../src/receiving/shared-reads.ts";
import { HeldMessages } from "../src/scheduling/held-messages.ts";
import { Sink } from "../src/scheduling/sink.ts";
import { ALONE, type Scope } from "../src/scope.ts";
import { Signals } from "../src/signals.ts";
import { Usage } from "../src/usage.ts";

type Value = Readonly<Record<string, string>>;

export type ScopeChanges = Partial<Omit<Scope<Value>, "policy">> & {
  readonly policy?: Partial<ConsumerPolicy<Value>>;
};

/** What is not given is as it is by default, and nothing is heard of what is reported. */
export function makeScope({ policy: changes, ...given }: ScopeChanges = {}): Scope<Value> {
  const options = { redis: "redis://127.0.0.1", stream: "orders", group: "billing", name: "me" };
  const policy = { ...resolveConsumerOptions<Value>(options, "test"), ...changes };
  const clock = given.clock ?? new ManualClock();
  const signals = given.signals ?? new Signals();
  const client = given.client ?? createMemoryServer({ clock }).client();
  return {
    ...{ policy, client, clock, signals, random: () => 1, report: () => {}, fail: () => {} },
    newEntries: new OwnReads({ client, clock, group: policy.group, name: policy.name }),
    shares: ALONE,
    lookTimes: given.lookTimes ?? new LookTimes({ clock, random: given.random ?? (() => 1) }),
    lifecycle: new Lifecycle("Consumer"),
    usage: new Usage(policy),
    held: new HeldMessages<Value>(signals.roomChanged),
    order: undefined,
    owned: undefined,
    sink: new Sink(),
    replySize: new ReplySize(),
    ...given,
  };
}
