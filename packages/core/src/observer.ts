import { channel } from "node:diagnostics_channel";
import { describeThrown, isThenable } from "./thrown.ts";

/**
 * Receives what a service did, after it did it. Must not block; what it throws, or rejects with, is reported as a
 * process warning.
 */
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
  // A listener's fault must not stop the loop that reported to it, nor end the process.
  const warn = (event: Event, error: unknown): void => {
    const text = `the observer of the ${service} threw on "${event.type}": ${describeThrown(error)}`;
    process.emitWarning(text, "RedisBatchWarning");
  };
  return (event) => {
    if (published.hasSubscribers) published.publish(event);
    if (observer === undefined) return;
    try {
      // An async function is an observer to the compiler.
      const end: unknown = observer(event);
      if (isThenable(end)) Promise.resolve(end).catch((error: unknown) => warn(event, error));
    } catch (error) {
      warn(event, error);
    }
  };
}
