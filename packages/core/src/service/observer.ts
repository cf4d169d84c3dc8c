import { channel } from "node:diagnostics_channel";
import { describeThrown, isThenable } from "../errors/thrown.ts";
import { systemClock } from "./clock.ts";
import { Warnings } from "./warnings.ts";

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
  const warnings = new Warnings(systemClock);
  // A listener's fault must not stop the loop that reported to it, nor end the process.
  return (event) => {
    if (published.hasSubscribers) published.publish(event);
    if (observer === undefined) return;
    tell(observer, event, (error) => {
      warnings.say("observer", `the observer of the ${service} threw on "${event.type}": ${describeThrown(error)}`);
    });
  };
}

/**
 * Tells callbacks of the application what they asked for: progress, decisions. They only watch, so what one throws, or
 * rejects with, is a process warning and stops nothing.
 *
 * @param who who is told, as a warning calls it
 */
export function createTeller(who: string): <Told>(listener: ((told: Told) => unknown) | undefined, told: Told) => void {
  const warnings = new Warnings(systemClock);
  return (listener, told) =>
    tell(listener, told, (error) => warnings.say("callback", `${who} threw: ${describeThrown(error)}`));
}

/** Calls what only wants to be told something: what it throws, or rejects with, stops nothing and ends no process. */
export function tell<Told>(
  listener: ((told: Told) => unknown) | undefined,
  told: Told,
  onFault: (error: unknown) => void,
): void {
  try {
    // An async function is a listener to the compiler.
    const end = listener?.(told);
    if (isThenable(end)) Promise.resolve(end).catch(onFault);
  } catch (error) {
    onFault(error);
  }
}
