import { channel } from "node:diagnostics_channel";

/** Receives what a service did, after it did it. Must not block; what it throws is reported as a process warning. */
export type Observer<Event> = (event: Event) => void;

/**
 * Where a service reports its events: to the observer of its options, and to the diagnostics channel
 * `redis-batch:<service>` for tools that watch from outside.
 */
export function createNotifier<Event extends { readonly type: string }>(
  service: string,
  observer: Observer<Event> | undefined,
): Observer<Event> {
  const published = channel(`redis-batch:${service}`);
  return (event) => {
    if (published.hasSubscribers) published.publish(event);
    if (observer === undefined) return;
    try {
      observer(event);
    } catch (error) {
      // A listener's fault must not stop the loop that reported to it.
      process.emitWarning(
        `the observer of the ${service} threw on "${event.type}": ${String(error)}`,
        "RedisBatchWarning",
      );
    }
  };
}
