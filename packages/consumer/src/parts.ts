/** Makes the parts of a consumer for one of its streams, each after the parts that it uses. For what they tell each other otherwise see `signals.ts`. */
import type { ConnectionWatch } from "./liveness/connection-watch.ts";
import { Heartbeat } from "./liveness/heartbeat.ts";
import { HoldLimit } from "./liveness/hold-limit.ts";
import { LeaseRenewer } from "./liveness/lease-renewer.ts";
import { Peers } from "./liveness/peers.ts";
import { ReservedNames } from "./liveness/reserved-names.ts";
import { Shutdown } from "./liveness/shutdown.ts";
import { Startup } from "./liveness/startup.ts";
import type { WorkCounter } from "./liveness/work-counter.ts";
import { Claimer } from "./receiving/claimer.ts";
import { DeferredReader } from "./receiving/deferred-reader.ts";
import { DueReleaser } from "./receiving/due-releaser.ts";
import { KeyLearner } from "./receiving/key-learner.ts";
import { MessageBuilder } from "./receiving/message-builder.ts";
import { OrphanReleaser } from "./receiving/orphan-releaser.ts";
import { OwnPending } from "./receiving/own-pending.ts";
import { PositionWatch } from "./receiving/position-watch.ts";
import { ReadWatch } from "./receiving/read-watch.ts";
import { Reader } from "./receiving/reader.ts";
import { BatchScheduler } from "./scheduling/batch-scheduler.ts";
import { HandlerCaller } from "./scheduling/handler-caller.ts";
import { IntakeControl } from "./scheduling/intake-control.ts";
import { OpenBatches } from "./scheduling/open-batches.ts";
import { RateGate } from "./scheduling/rate-gate.ts";
import { SinkWatch } from "./scheduling/sink-watch.ts";
import { WaitingCalls } from "./scheduling/waiting-calls.ts";
import type { Scope } from "./scope.ts";
import { Acknowledger } from "./settling/acknowledger.ts";
import { DeadLetterWriter } from "./settling/dead-letter-writer.ts";
import { KeyWatch } from "./settling/key-watch.ts";
import { OutcomeRouter } from "./settling/outcome-router.ts";
import { RedeliveryScheduler } from "./settling/redelivery-scheduler.ts";
import { Releaser } from "./settling/releaser.ts";
import { SecondOpinions } from "./settling/second-opinions.ts";
import { SurplusReleaser } from "./settling/surplus-releaser.ts";

/** The parts that lanes and the consumer use. */
export interface ConsumerParts<Value> {
  readonly heartbeat: Heartbeat;
  readonly acknowledger: Acknowledger<Value>;
  readonly open: OpenBatches<Value>;
  readonly waiting: WaitingCalls<Value>;
  readonly readWatch: ReadWatch;
  readonly intake: IntakeControl;
  readonly claimer: Claimer<Value>;
  readonly reader: Reader<Value>;
  readonly surplus: SurplusReleaser<Value>;
  readonly scheduler: BatchScheduler<Value>;
  readonly handlers: HandlerCaller<Value>;
  readonly startup: Startup<Value>;
  readonly shutdown: Shutdown<Value>;
}

export function createParts<Value>(
  scope: Scope<Value>,
  {
    connection,
    work,
    lastHeartbeatMs,
  }: { readonly connection: ConnectionWatch; readonly work: WorkCounter; readonly lastHeartbeatMs: number | null },
): ConsumerParts<Value> {
  // How this consumer and the others are doing.
  const peers = new Peers(scope);
  const leases = new LeaseRenewer(scope);
  const sinkWatch = new SinkWatch(scope);
  const secondOpinions = new SecondOpinions(scope, { peers, sinkWatch });

  // Messages go out.
  const releaser = new Releaser(scope);
  const deadLetterWriter = new DeadLetterWriter(scope, { peers, secondOpinions });
  const acknowledger = new Acknowledger(scope, { leases });
  const redeliveries = new RedeliveryScheduler(scope, { deadLetterWriter, releaser, secondOpinions, peers, sinkWatch });
  const outcomes = new OutcomeRouter(scope, { acknowledger, deadLetterWriter, redeliveries, sinkWatch });
  const open = new OpenBatches(scope, { redeliveries, releaser, sinkWatch, outcomes });
  const holdLimit = new HoldLimit(scope, { open, deadLetterWriter, secondOpinions });

  // How much may come in now.
  const waiting = new WaitingCalls(scope);
  const readWatch = new ReadWatch(scope);
  const positionWatch = new PositionWatch(scope, { work });
  const rate = new RateGate(scope);
  const intake = new IntakeControl(scope, {
    ...{ connection, leases, open, positionWatch, rate, readWatch, releaser, sinkWatch, waiting },
  });
  const reservedNames = new ReservedNames(scope);
  const heartbeat = new Heartbeat(scope, {
    ...{ intake, open, rate, reservedNames, sinkWatch, work, lastAtMs: lastHeartbeatMs },
  });

  // Messages come in: released ones, deferred ones that are due, and new ones.
  const builder = new MessageBuilder(scope, { leases, deadLetterWriter, outcomes });
  const ownPending = new OwnPending(scope, { builder, keys: new KeyLearner(scope, { builder }) });
  const claimer = new Claimer(scope, {
    ...{ builder, deadLetterWriter, intake, open, ownPending, peers, secondOpinions },
  });
  const deferredReader = new DeferredReader(scope, { builder });
  const reader = new Reader(scope, {
    ...{ waiting, intake, builder, ownPending, claimer, heartbeat, readWatch, secondOpinions },
  });
  const keyWatch = new KeyWatch(scope, { deadLetterWriter });
  const dueReleaser = new DueReleaser(scope, { releaser });
  const orphanReleaser = new OrphanReleaser(scope, { peers, connection, leases });
  const surplus = new SurplusReleaser(scope, { intake, releaser, claimer, peers, secondOpinions });

  // Who gets the next batch.
  const sources = { released: claimer, deferred: deferredReader, reader };
  const scheduler = new BatchScheduler(scope, { waiting, intake, sources });
  const handlers = new HandlerCaller(scope, { open });

  const startup = new Startup(scope, {
    ...{ heartbeat, acknowledger },
    loops: [
      ...[heartbeat, leases, holdLimit, deferredReader],
      ...[claimer, dueReleaser, orphanReleaser, surplus, positionWatch, keyWatch],
    ],
  });
  const shutdown = new Shutdown(scope, {
    ...{ startup, scheduler, open, surplus, acknowledger, deadLetterWriter, releaser, holdLimit, sinkWatch },
    ...{ heartbeat, leases },
    receiving: [reader, deferredReader, claimer, dueReleaser, orphanReleaser, positionWatch, keyWatch],
  });

  return {
    ...{ heartbeat, acknowledger, open, waiting, readWatch, intake, claimer, reader, surplus },
    ...{ scheduler, handlers, startup, shutdown },
  };
}
