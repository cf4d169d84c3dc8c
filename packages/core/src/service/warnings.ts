/** What a service without an observer does with what needs attention: it must not go unnoticed, and must not flood a log. */
import type { Clock } from "./clock.ts";

const WINDOW_MS = 60_000;
const LONGEST_LINE = 1_000;

/** What came of one kind since its last line. */
interface Window {
  more: number;
  last: string;
  readonly cancel: () => void;
}

/** Process warnings, one line for each kind and minute: the first at once, then how many more there were, and the last. */
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

  /** Prints what was not printed yet. */
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
 * The observer of a service that was given none.
 *
 * @param subject the service, and what it works on
 * @param words what needs attention in an event; `undefined`: nothing does
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

/** A service, and what it works on, as the start of a line: `consumer of "orders", group "billing"`. */
export function nameService(service: string, stream: string, group?: string | null): string {
  const ofGroup = group === undefined || group === null ? "" : `, group ${JSON.stringify(group)}`;
  return `${service} of ${JSON.stringify(stream)}${ofGroup}`;
}

/** What every service says of a connection that cannot be had. The first word comes at once, and not after a timeout. */
export function describeConnectionEvent(event: {
  readonly type: string;
  readonly reason?: string;
}): string | undefined {
  return event.type === "connectFailed" ? `cannot connect, and goes on trying: ${event.reason}` : undefined;
}

function summary({ more, last }: Window): string {
  return more === 1 ? last : `${last} (the last of ${more} like it within a minute)`;
}

function print(kind: string, text: string): void {
  process.emitWarning(inOneLine(text), { type: "RedisBatchWarning", code: kind });
}

/** Lines of a log must not be made by what is told of an error; a terminal takes orders from control characters. */
function inOneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ");
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
