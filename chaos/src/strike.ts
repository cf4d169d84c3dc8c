/** Applies the faults as planned. */
import { setTimeout as pause } from "node:timers/promises";
import type { Scene, Target } from "./faults/fault.ts";
import { FAULTS } from "./faults/index.ts";
import { MONITORS } from "./monitors.ts";
import type { Place } from "./place.ts";
import type { FaultKind, PlannedFault } from "./plan.ts";

export interface Strikes {
  /** How often each kind struck. */
  readonly struck: Readonly<Partial<Record<FaultKind, number>>>;
  /** Faults without the intended effect, and which effect was missing. */
  readonly unobserved: readonly string[];
}

/** Never twice at once in one place. */
export async function strikeAll(
  plan: readonly PlannedFault[],
  scene: Omit<Scene, "server">,
  progress: (text: string) => void,
): Promise<Strikes> {
  const struck: Partial<Record<FaultKind, number>> = {};
  const unobserved: string[] = [];
  const busy = new Map<string, Promise<unknown>>();
  const startedAtMs = performance.now();
  for (const planned of plan) {
    await pause(Math.max(0, startedAtMs + planned.atMs - performance.now()), undefined, { signal: scene.over }).catch(
      () => undefined,
    );
    if (scene.over.aborted) break;
    const place = scene.places[planned.worker % scene.places.length] as Place;
    const fault = FAULTS[planned.kind];
    const target = lockOf(fault.target, place);
    const strike = async (): Promise<void> => {
      await busy.get(target);
      if (scene.over.aborted) return;
      progress(`${planned.kind} (worker ${place.index}, ${planned.forMs} ms)`);
      const effect = await fault.strike({ ...scene, server: await scene.topology.master() }, place, planned);
      if (effect.kind === "observed") struck[planned.kind] = (struck[planned.kind] ?? 0) + 1;
      if (effect.kind === "unobserved") {
        unobserved.push(`${planned.kind} (worker ${place.index}) had no effect: ${effect.what}`);
      }
    };
    const striking = strike();
    // A rejection is not lost: it ends the round below.
    striking.catch(() => undefined);
    busy.set(target, striking);
  }
  await Promise.all(busy.values());
  return { struck, unobserved };
}

function lockOf(target: Target, place: Place): string {
  if (target === "server" || target === "sink") return target;
  return `${target} ${target === "monitor" ? place.index % MONITORS : place.index}`;
}
