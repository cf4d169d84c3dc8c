/** Says why messages are still in flight at the end of a round: which ones, who holds them, and the holders' state. */
import type { ConsumerEvent } from "@redis-batch/consumer";
import type { WorkerLine } from "./journal.ts";
import { linesAbout } from "./reconstruct.ts";

export interface Unrest {
  /** How many messages are in flight. */
  readonly total: number;
  /** The first of them. */
  readonly messages: readonly InFlightMessage[];
  /** Every process that was ever started. */
  readonly workers: readonly WorkerAtUnrest[];
  /** What the server knows of the group's consumers, and who holds which lease. */
  readonly consumers: readonly ConsumerAtUnrest[];
  readonly leases: readonly { readonly key: string; readonly holder: string }[];
  /** The last line of each monitor. */
  readonly monitors: readonly string[];
}

export interface InFlightMessage {
  readonly id: string;
  /** Empty, as is the intent, where the entry is gone from the stream. */
  readonly key: string;
  readonly intent: string;
  /** `undefined`: never delivered. */
  readonly pending: { readonly consumer: string; readonly idleMs: number; readonly deliveries: number } | undefined;
}

export interface WorkerAtUnrest {
  readonly worker: string;
  /** The consumer's name. */
  readonly name: string;
  /** `replaced`: another one has its place. */
  readonly state: "running" | "ended" | "replaced";
  readonly lines: readonly WorkerLine[];
}

export interface ConsumerAtUnrest {
  readonly name: string;
  readonly pending: number;
  /** The age of its heartbeat; `undefined`: it is not registered. */
  readonly silentMs: number | undefined;
}

/** How many lines to print per message or worker. */
const LAST_LINES = 3;

/** @param nowMs on the clock of the journals */
export function describeUnrest(unrest: Unrest, nowMs: number): readonly string[] {
  const { total, messages, workers, consumers, leases, monitors } = unrest;
  return [
    `${total} in flight${messages.length < total ? `, the first ${messages.length} of them` : ""}:`,
    ...messages.flatMap((message) => [`  ${describeMessage(message)}`, ...historyOf(message, workers, nowMs)]),
    ...workers
      .filter(({ state }) => state !== "replaced")
      .flatMap((worker) => [`  ${describeWorker(worker, nowMs)}`, ...troubleOf(worker, nowMs)]),
    ...consumers.map((consumer) => `  ${describeConsumer(consumer)}`),
    ...leases.map(({ key, holder }) => `  ${key} is held by ${holder}`),
    ...monitors.map((words, index) => `  monitor ${index}, last line: ${words === "" ? "none" : words}`),
  ];
}

function describeMessage({ id, key, intent, pending }: InFlightMessage): string {
  const what = key === "" ? `${id} (gone from the stream)` : `${key} (${id}), ${intent}`;
  if (pending === undefined) return `${what}: never delivered`;
  const { consumer, idleMs, deliveries } = pending;
  return `${what}: pending for ${consumer}, delivery ${deliveries}, idle for ${idleMs} ms`;
}

function historyOf({ id, key }: InFlightMessage, workers: readonly WorkerAtUnrest[], nowMs: number): string[] {
  const known = workers.flatMap(({ worker, lines }) => linesAbout(lines, key, id).map((line) => ({ worker, line })));
  return known
    .toSorted((left, right) => left.line.t - right.line.t)
    .slice(-LAST_LINES)
    .map(({ worker, line }) => `    ${worker} ${describeLine(line, nowMs)}`);
}

function describeWorker({ worker, name, state, lines }: WorkerAtUnrest, nowMs: number): string {
  const last = lines.at(-1);
  const health = lines.findLast((line) => line.e === "health");
  return [
    `${worker} as ${name}: ${state}`,
    last === undefined ? "has written nothing" : `last line ${ageOf(last, nowMs)} ago`,
    ...(health === undefined ? [] : [`health ${ageOf(health, nowMs)} ago ${JSON.stringify(health.health)}`]),
    describeBreaker(lines, nowMs),
  ].join("; ");
}

/** Whether the consumer takes its sink to be down, by what it has told. */
function describeBreaker(lines: readonly WorkerLine[], nowMs: number): string {
  const told = lines.flatMap((line) => {
    const event = eventOf(line);
    return event?.type === "backingOff" || event?.type === "resumed" ? [{ line, event }] : [];
  });
  const last = told.at(-1);
  if (last?.event.type !== "backingOff") return "breaker closed";
  const opened = told[told.findLastIndex(({ event }) => event.type === "resumed") + 1] ?? last;
  return `breaker open for ${ageOf(opened.line, nowMs)}, attempt ${last.event.attempt} ${ageOf(last.line, nowMs)} ago`;
}

function troubleOf({ lines }: WorkerAtUnrest, nowMs: number): string[] {
  return lines
    .filter((line) => line.e === "note" && eventOf(line)?.type !== "backingOff")
    .slice(-LAST_LINES)
    .map((line) => `    ${describeLine(line, nowMs)}`);
}

function describeConsumer({ name, pending, silentMs }: ConsumerAtUnrest): string {
  const heard = silentMs === undefined ? "not registered" : `last heartbeat ${silentMs} ms ago`;
  return `consumer ${name}: ${pending} pending, ${heard}`;
}

function describeLine({ t, ...line }: WorkerLine, nowMs: number): string {
  return `${ageOf({ t }, nowMs)} ago ${JSON.stringify(line)}`;
}

function eventOf(line: WorkerLine): (Pick<ConsumerEvent, "type"> & { readonly attempt?: number }) | undefined {
  if (line.e !== "note" || !line.text.startsWith("{")) return undefined;
  return JSON.parse(line.text) as ConsumerEvent;
}

function ageOf({ t }: { readonly t: number }, nowMs: number): string {
  return `${Math.round(nowMs - t)} ms`;
}
