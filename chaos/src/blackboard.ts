/** Where the faults record what the ledger must know. */
import type { Span } from "./duplicate.ts";
import type { Scene } from "./faults/fault.ts";
import { journalNowMs } from "./journal.ts";
import type { Place } from "./place.ts";

interface Noted {
  readonly span: Span;
  /** `undefined`: all of them. */
  readonly place: Place | undefined;
}

export class Blackboard {
  readonly destroyedDeadIds = new Set<string>();
  /** Entries that were removed from their stream, and when. */
  readonly destroyedAtMs = new Map<string, number>();
  /** When a server took writes that its successor may not have. */
  readonly forgotten: Span[] = [];
  readonly #away: Noted[] = [];
  readonly #slowed: Noted[] = [];

  /** The records that a fault can make. */
  get pens(): Pick<Scene, "away" | "slowed" | "forgotten" | "destroyed" | "destroyedDeadLetters"> {
    return {
      away: (fromMs, toMs, why, place) => void this.#away.push({ span: { fromMs, toMs, why }, place }),
      slowed: (fromMs, toMs, place) => void this.#slowed.push({ span: { fromMs, toMs, why: "slowed" }, place }),
      forgotten: (fromMs, toMs) => void this.forgotten.push({ fromMs, toMs, why: "failover" }),
      destroyed: (ids) => {
        const atMs = journalNowMs();
        for (const id of ids) this.destroyedAtMs.set(id, atMs);
      },
      destroyedDeadLetters: (ids) => {
        for (const id of ids) this.destroyedDeadIds.add(id);
      },
    };
  }

  /** When the workers of a place had no server. */
  awayOf(place: Place): readonly Span[] {
    return spansOf(this.#away, place);
  }

  slowedOf(place: Place): readonly Span[] {
    return spansOf(this.#slowed, place);
  }
}

function spansOf(noted: readonly Noted[], of: Place): readonly Span[] {
  return noted.filter(({ place }) => place === undefined || place === of).map(({ span }) => span);
}
