import { channel } from "node:diagnostics_channel";
import { describeThrown, isThenable } from "../errors/thrown.ts";
import { systemClock } from "./clock.ts";
import { Warnings } from "./warnings.ts";

/**
 * Receives each event of a service, after the state has changed. Must not block. Errors that it throws, or rejects with,
 * are reported as process warnings.
 */
export type Observer<Event> = (event: Event) => void;

/**
 * Where a service reports its events: to the `observer` option, and to the diagnostics channel `redis-batch:<service>`
 * for monitoring tools.
 */
export function createNotifier<Event extends { readonly type: string }>(
  service: string,
  observer: Observer<Event> | undefined,
): Observer<Event> {
  const published = channel(`redis-batch:${service}`);
  const warnings = new Warnings(systemClock);
  // An error of a listener must neither stop the loop that called it nor end the process.
  return (event) => {
    if (published.hasSubscribers) published.publish(event);
    if (observer === undefined) return;
    callSafely(observer, event, (error) => {
      warnings.say("observer", `the observer of the ${service} threw on "${event.type}": ${describeThrown(error)}`);
    });
  };
}

/**
 * Calls callbacks of the application, such as for progress or decisions. They only watch, so an error that one throws,
 * or rejects with, becomes a process warning and stops nothing.
 *
 * @param who the name of the callback in the warning
 */
export function createSafeCaller(
  who: string,
): <Value>(listener: ((value: Value) => unknown) | undefined, value: Value) => void {
  const warnings = new Warnings(systemClock);
  return (listener, value) =>
    callSafely(listener, value, (error) => warnings.say("callback", `${who} threw: ${describeThrown(error)}`));
}

/** Calls a listener: an error that it throws, or rejects with, stops nothing and does not end the process. */
export function callSafely<Value>(
  listener: ((value: Value) => unknown) | undefined,
  value: Value,
  onFault: (error: unknown) => void,
): void {
  try {
    // The compiler accepts an async function as a listener.
    const end = listener?.(value);
    if (isThenable(end)) Promise.resolve(end).catch(onFault);
  } catch (error) {
    onFault(error);
  }
}
