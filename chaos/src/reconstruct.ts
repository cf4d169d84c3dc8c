/** Makes the ledger's entries out of a worker's journal. */
import type { Offer, Span, WorkerLife } from "./duplicate.ts";
import { idOf } from "./entry.ts";
import type { WorkerLine } from "./journal.ts";

/** A gap in the journal beyond this means that the process was frozen; it writes a line every 50 ms. */
const STANDSTILL_MS = 200;

export interface Reconstruction {
  readonly life: WorkerLife;
  readonly offers: readonly Offer[];
}

/**
 * Reads what one process wrote.
 *
 * @param hasEnded whether the process is gone
 * @param away when it could not reach the server, as the faults know it
 */
export function reconstruct(
  worker: string,
  lines: readonly WorkerLine[],
  hasEnded: boolean,
  away: readonly Span[],
): Reconstruction {
  const standstills: Span[] = [...away];
  const open = new Map<string, Mutable<Offer>>();
  const openById = new Map<string, Mutable<Offer>>();
  const offers: Offer[] = [];
  const byCall = new Map<number | undefined, readonly Mutable<Offer>[]>();
  // A message may be in two batches of a process, if its handler hung on it. Earlier versions do not say in which.
  const offerOf = (call: number | undefined, key: string): Mutable<Offer> | undefined =>
    byCall.get(call)?.find((offer) => offer.key === key) ?? open.get(key);
  const settledOf = (call: number | undefined, ids: readonly string[]): readonly Mutable<Offer>[] =>
    ids.flatMap((id) => byCall.get(call)?.find((offer) => offer.id === id) ?? openById.get(id) ?? []);
  let lastMs: number | undefined;
  let awaySinceMs: number | undefined;
  for (const line of lines) {
    if (lastMs !== undefined && line.t - lastMs > STANDSTILL_MS) {
      standstills.push({ fromMs: lastMs, toMs: line.t, why: "frozen" });
    }
    lastMs = line.t;
    switch (line.e) {
      case "offered": {
        const batch = line.messages.map(([key, id, deliveries]) =>
          newOffer({ key, id, worker, atMs: line.t, deliveries }),
        );
        for (const offer of batch) {
          open.set(offer.key, offer);
          openById.set(offer.id, offer);
        }
        offers.push(...batch);
        if (line.call !== undefined) byCall.set(line.call, batch);
        break;
      }
      case "ended":
        for (const offer of byCall.get(line.call) ?? []) offer.endedAtMs = line.t;
        break;
      case "fails": {
        const offer = offerOf(line.call, line.key);
        if (offer === undefined) break;
        offer.failedAtMs = line.t;
        if (line.delayMs !== undefined) offer.deferred = { atMs: line.t, delayMs: line.delayMs };
        break;
      }
      case "done":
      case "rejected": {
        const offer = offerOf(line.call, line.key);
        if (offer !== undefined) offer.worked = { how: line.e, atMs: line.t };
        break;
      }
      case "settled":
        for (const offer of settledOf(line.call, [...line.acknowledged, ...line.deadLettered])) {
          offer.settledAtMs ??= line.t;
        }
        for (const offer of settledOf(line.call, line.tooLate)) offer.refusedAtMs ??= line.t;
        break;
      case "away":
        if (line.role === "commands") awaySinceMs ??= line.t;
        break;
      case "back":
        if (line.role === "commands" && awaySinceMs !== undefined) {
          standstills.push({ fromMs: awaySinceMs, toMs: line.t, why: "disconnected" });
          awaySinceMs = undefined;
        }
        break;
      default:
        break;
    }
  }
  if (awaySinceMs !== undefined) {
    standstills.push({ fromMs: awaySinceMs, toMs: lastMs ?? awaySinceMs, why: "disconnected" });
  }
  const closingAtMs = lines.find(({ e }) => e === "closing")?.t;
  return { life: { worker, endedAtMs: hasEnded ? (lastMs ?? 0) : undefined, standstills, closingAtMs }, offers };
}

function newOffer(given: Pick<Offer, "key" | "id" | "worker" | "atMs" | "deliveries">): Mutable<Offer> {
  const nothing = { worked: undefined, settledAtMs: undefined, refusedAtMs: undefined, endedAtMs: undefined };
  return { ...given, ...nothing, deferred: undefined };
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** What a journal says about one message: for the history of a problem. */
export function linesAbout(lines: readonly WorkerLine[], key: string, id: string): readonly WorkerLine[] {
  return lines.flatMap((line): WorkerLine[] => {
    switch (line.e) {
      case "offered": {
        const messages = line.messages.filter(([offered]) => offered === key);
        return messages.length === 0 ? [] : [{ ...line, messages }];
      }
      case "done":
      case "rejected":
      case "fails":
        return line.key === key ? [line] : [];
      case "settled": {
        const only = (ids: readonly string[]): string[] => ids.filter((settled) => settled === id);
        const own = {
          acknowledged: only(line.acknowledged),
          deadLettered: only(line.deadLettered),
          tooLate: only(line.tooLate),
        };
        return Object.values(own).every(({ length }) => length === 0) ? [] : [{ ...line, ...own }];
      }
      case "note":
        return line.text.includes(idOf(id)) ? [line] : [];
      default:
        return [];
    }
  });
}
