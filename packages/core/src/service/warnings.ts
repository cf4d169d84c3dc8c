/** Process warnings of a service without an observer: problems must be noticed, but must not flood the log. */
import type { Clock } from "./clock.ts";

const WINDOW_MS = 60_000;
const LONGEST_LINE = 1_000;

/** Warnings of one kind since its last line. */
interface Window {
  more: number;
  last: string;
  readonly cancel: () => void;
}

/** Process warnings, one line per kind and minute: the first at once, then the last one with the number of the others. */
export class Warnings {
  readonly #clock: Clock;
  readonly #open = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param kind the warning's `code` */
  say(kind: string, text: string): void {
    const open = this.#open.get(kind);
    if (open !== undefined) {
      open.more++;
      open.last = text;
      return;
    }
    print(kind, text);
    const cancel = this.#clock.setTimer(WINDOW_MS, () => this.#end(kind), true);
    this.#open.set(kind, { more: 0, last: text, cancel });
  }

  /** Prints the warnings that were not printed yet. */
  flush(): void {
    for (const [kind, window] of this.#open) {
      window.cancel();
      if (window.more > 0) print(kind, summary(window));
    }
    this.#open.clear();
  }

  #end(kind: string): void {
    const window = this.#open.get(kind);
    this.#open.delete(kind);
    if (window !== undefined && window.more > 0) this.say(kind, summary(window));
  }
}

/**
 * The default observer of a service.
 *
 * @param subject the service, with its stream and group
 * @param words the warning for an event; `undefined`: none
 */
export function warningObserver<Event extends { readonly type: string }>(
  subject: string,
  words: (event: Event) => string | undefined,
  clock: Clock,
): (event: Event) => void {
  const warnings = new Warnings(clock);
  return (event) => {
    const text = words(event);
    if (text !== undefined) warnings.say(event.type, `${subject}: ${text}`);
    if (event.type === "stopped" || event.type === "closed") warnings.flush();
  };
}

/** A service, with its stream and group, as the start of a line: `consumer of "orders", group "billing"`. */
export function nameService(service: string, stream: string | readonly string[], group?: string | null): string {
  const ofGroup = group === undefined || group === null ? "" : `, group ${JSON.stringify(group)}`;
  const streams = [stream].flat().map((name) => JSON.stringify(name));
  return `${service} of ${streams.join(", ")}${ofGroup}`;
}

/** The warning of every service when it cannot connect. The first one comes at once, not after a timeout. */
export function describeConnectionEvent(event: {
  readonly type: string;
  readonly reason?: string;
}): string | undefined {
  return event.type === "connectFailed" ? `cannot connect, retrying: ${event.reason}` : undefined;
}

function summary({ more, last }: Window): string {
  return more === 1 ? last : `${last} (the last of ${more} similar warnings within a minute)`;
}

function print(kind: string, text: string): void {
  process.emitWarning(inOneLine(text), { type: "RedisBatchWarning", code: kind });
}

/** An error message must not start new log lines, nor send control characters to a terminal. */
function inOneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ");
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
