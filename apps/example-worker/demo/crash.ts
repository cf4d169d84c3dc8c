import { setTimeout as pause } from "node:timers/promises";
import { type Check, checkNumber, count } from "./checks.ts";
import type { PendingMessages } from "./demo-server.ts";
import type { HandedOver } from "./watch.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { type WorkerTally, workerName } from "./worker-tally.ts";

/** A worker that was killed while it worked. */
export interface Crash {
  /** Its index in the list of workers. */
  readonly place: number;
  readonly consumer: string;
  /** Messages that were delivered to it but not acknowledged. */
  readonly held: number;
}

const WORKER_2 = 1;
const ASK_EVERY_MS = 50;

/** Kills a worker that holds messages; `undefined` if there is none at the moment. */
export async function crashWorker(
  workers: WorkerPool,
  pending: () => Promise<PendingMessages>,
): Promise<Crash | undefined> {
  const victim = chooseVictim(workers.tallies, workers.killed, await pending());
  if (victim === undefined) return undefined;
  await workers.kill(victim.place);
  // It may have acknowledged them at the last moment, and its commands may still be in transit to the server.
  const askHeld = async (): Promise<number> => (await pending()).byConsumer.get(victim.consumer) ?? 0;
  let held = await askHeld();
  for (let before = -1; held !== before; ) {
    await pause(ASK_EVERY_MS);
    before = held;
    held = await askHeld();
  }
  return { ...victim, held };
}

/** Worker 2, or another one that has stored a batch and holds the next; never the last live one. */
export function chooseVictim(
  tallies: readonly WorkerTally[],
  killed: ReadonlySet<number>,
  { byConsumer }: PendingMessages,
): Omit<Crash, "held"> | undefined {
  if (tallies.length - killed.size < 2) return undefined;
  const atWork = tallies.flatMap(({ consumer = "", batches }, place) => {
    const isAtWork = batches > 0 && !killed.has(place) && (byConsumer.get(consumer) ?? 0) > 0;
    return isAtWork ? [{ place, consumer }] : [];
  });
  return atWork.find(({ place }) => place === WORKER_2) ?? atWork.at(-1);
}

/** Such as `killed      worker 2, which held 200 messages`. */
export function describeCrash({ place, held }: Crash): string {
  return `killed      ${workerName(place)}, which held ${held === 0 ? "no messages" : messages(held)}`;
}

/** Such as `handed over 200 messages, to any worker with room`. */
export function describeHandOver(crashes: readonly Crash[], moves: readonly HandedOver[]): string {
  const given = leftBy(crashes, moves);
  return `handed over ${given === 0 ? "nothing" : `${messages(given)}, to any worker with room`}`;
}

/** Compares the messages that the killed workers held with those that the monitor handed over. */
export function checkHandOver(crashes: readonly Crash[], moves: readonly HandedOver[]): Check {
  const held = crashes.reduce((total, crash) => total + crash.held, 0);
  return checkNumber("messages handed over from the killed worker", leftBy(crashes, moves), held);
}

/** How many messages of killed workers were handed over. */
function leftBy(crashes: readonly Crash[], moves: readonly HandedOver[]): number {
  const killed = new Set(crashes.map(({ consumer }) => consumer));
  return moves.filter((move) => killed.has(move.from)).reduce((total, move) => total + move.messages, 0);
}

function messages(number: number): string {
  return `${count(number)} ${number === 1 ? "message" : "messages"}`;
}
