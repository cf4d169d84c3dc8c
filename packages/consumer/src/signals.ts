/**
 * What the parts of a consumer tell each other without knowing each other. Each signal is one fact. The part that finds it out
 * raises it; the parts that have to look again because of it listen, from their constructors on.
 *
 * | signal             | fact                                    | raised by                                         | heard by                                               |
 * |--------------------|-----------------------------------------|---------------------------------------------------|--------------------------------------------------------|
 * | `roomChanged`      | there may be room for more messages     | HeldMessages, BatchScheduler                      | Reader, DeferredReader                                 |
 * | `offerableChanged` | more can be offered, or asked for       | see below                                         | BatchScheduler                                         |
 * | `releasedFound`    | messages were released                  | OwnPending, DueReleaser, OrphanReleaser, KeyWatch | Claimer                                                |
 * | `pendingUnknown`   | messages may be pending here unknown    | see below                                         | OwnPending, Reader                                     |
 * | `batchEnded`       | a batch has ended                       | OpenBatches                                       | IntakeControl, Claimer                                 |
 * | `paceChanged`      | the breaker changed, or a handler hangs | SinkWatch, HoldLimit                              | IntakeControl, Reader, SurplusReleaser, BatchScheduler |
 * | `heartbeatSent`    | the server has the heartbeat            | Heartbeat                                         | SinkWatch, SecondOpinions, IntakeControl               |
 * | `intakeTouched`    | connection, reads or position changed   | ConnectionWatch, Reader, PositionWatch            | IntakeControl                                          |
 * | `placesChanged`    | another stream's batch ended, or hangs  | Lanes                                             | IntakeControl, Claimer, SurplusReleaser                |
 * | `groupPauseChanged`| the group was paused, or resumed        | IntakeControl                                     | Lane                                                   |
 *
 * `offerableChanged` is raised by WaitingCalls, OwnPending, LeaseRenewer, DeferredReader and Claimer; `pendingUnknown` by
 * Heartbeat, LeaseRenewer, HoldLimit, Claimer, Releaser and Reader.
 */

/** A fact that can be raised again and again. Calls its listeners at once, in the order in which they were added. */
export class Signal {
  readonly #listeners: (() => void)[] = [];

  listen(listener: () => void): void {
    this.#listeners.push(listener);
  }

  raise(): void {
    for (const listener of this.#listeners) listener();
  }
}

export class Signals {
  readonly roomChanged: Signal = new Signal();
  readonly offerableChanged: Signal = new Signal();
  readonly releasedFound: Signal = new Signal();
  readonly pendingUnknown: Signal = new Signal();
  readonly batchEnded: Signal = new Signal();
  readonly paceChanged: Signal = new Signal();
  readonly heartbeatSent: Signal = new Signal();
  readonly intakeTouched: Signal = new Signal();
  readonly placesChanged: Signal = new Signal();
  readonly groupPauseChanged: Signal = new Signal();
}
