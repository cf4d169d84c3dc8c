/** Asks before dead letters are redriven or discarded: shows the plan, then how it goes. */
import { useEffect, useState } from "preact/hooks";
import type { LetterAction, ShownPlan } from "../../src/actions/plans.ts";
import { ask } from "../state/api.ts";
import { Command, Notice, Text } from "./basics.tsx";
import { Dialog } from "./dialog.tsx";
import { count, plural, time } from "./format.ts";

/** What is meant: as the server takes it. */
export interface Meant {
  readonly action: LetterAction;
  readonly stream: string;
  readonly group: string;
  readonly what: { readonly all: true } | { readonly key: string } | { readonly ids: readonly string[] };
}

const WATCH_MS = 400;
const VERBS: Readonly<Record<LetterAction, { readonly title: string; readonly done: string; readonly says: string }>> =
  {
    redrive: {
      title: "Redrive",
      done: "redriven",
      says: "Each message becomes pending again in this group, with a delivery count of 0. Any consumer claims it.",
    },
    discard: { title: "Discard", done: "discarded", says: "Dead letters are deleted permanently." },
  };

export function PlanDialog({ of, onClose }: { readonly of: Meant; readonly onClose: () => void }) {
  const [plan, setPlan] = useState<ShownPlan | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [perSecond, setPerSecond] = useState(0);
  const [limit, setLimit] = useState(1_000);
  const [addTrimmed, setAddTrimmed] = useState(false);
  const verb = VERBS[of.action];
  const tell = (thrown: unknown): void => setError(thrown instanceof Error ? thrown.message : String(thrown));

  useEffect(() => {
    const ending = new AbortController();
    const { action, stream, group, what } = of;
    const body = { action, stream, group, ...what, limit, perSecond, addTrimmed };
    setPlan(null);
    ask<ShownPlan>("plans", { method: "POST", body, signal: ending.signal }).then(setPlan, (thrown: unknown) => {
      if (!ending.signal.aborted) tell(thrown);
    });
    return () => ending.abort();
  }, [limit, perSecond, addTrimmed]);
  useEffect(() => {
    if (plan?.state !== "running") return;
    const timer = setTimeout(() => void ask<ShownPlan>(`plans/${plan.id}`).then(setPlan, tell), WATCH_MS);
    return () => clearTimeout(timer);
  }, [plan]);

  const send = (what: "begin" | "stop"): void => {
    if (plan !== null)
      void ask<ShownPlan>(`plans/${plan.id}/${what}`, { method: "POST", body: {} }).then(setPlan, tell);
  };
  const state = plan?.state ?? "planned";
  return (
    <Dialog title={`${verb.title} dead letters`} onClose={onClose}>
      {(close) => (
        <>
          {error !== null && (
            <Notice tone="bad">
              <Text of={error} />
            </Notice>
          )}
          {plan === null ? (
            error === null && <p role="status">Making the plan…</p>
          ) : (
            <>
              <p>
                <b>{plural(plan.letters, "dead letter")}</b> of <Text of={plan.group} />
                {plan.oldestAtMs !== null && (
                  <>
                    , from {time(plan.oldestAtMs)} to {time(plan.newestAtMs)}
                  </>
                )}
                . {verb.says}
              </p>
              <ul class="reasons">
                {plan.reasons.map(({ reason, letters }) => (
                  <li key={reason}>
                    <Text of={reason} /> <b>{count(letters)}</b>
                  </li>
                ))}
              </ul>
              {plan.isCut && (
                <Notice tone="warn">
                  There are more dead letters than were looked at. Make another plan after this one.
                </Notice>
              )}
              {plan.letters > 0 &&
                (plan.command === null ? (
                  <p class="footnote">There are too many to name them in one command line.</p>
                ) : (
                  <Command line={plan.command} />
                ))}
              {state !== "planned" && <Progress of={plan} done={verb.done} />}
            </>
          )}
          {state === "planned" && (
            <div class="settings">
              <label>
                At most
                <input
                  type="number"
                  min={1}
                  max={10_000}
                  value={limit}
                  onChange={(event) =>
                    setLimit(Math.min(Math.max(Math.floor(event.currentTarget.valueAsNumber) || 1, 1), 10_000))
                  }
                />
              </label>
              <label>
                Each second
                <select value={perSecond} onChange={(event) => setPerSecond(Number(event.currentTarget.value))}>
                  <option value={0}>as fast as possible</option>
                  {[1, 10, 100, 1_000].map((one) => (
                    <option key={one} value={one}>
                      {count(one)} at most
                    </option>
                  ))}
                </select>
              </label>
              {of.action === "redrive" && (
                <label class="check">
                  <input
                    type="checkbox"
                    checked={addTrimmed}
                    onChange={(event) => setAddTrimmed(event.currentTarget.checked)}
                  />
                  Add messages again whose entries were trimmed, for every group
                </label>
              )}
            </div>
          )}
          <div class="buttons">
            {state === "planned" && (
              <button
                type="button"
                class={of.action === "discard" ? "danger" : "primary"}
                disabled={(plan?.letters ?? 0) === 0}
                onClick={() => send("begin")}
              >
                {verb.title} {plan === null ? "" : count(plan.letters)}
              </button>
            )}
            {state === "running" && (
              <button type="button" onClick={() => send("stop")}>
                Stop
              </button>
            )}
            <button type="button" onClick={close}>
              {state === "planned" ? "Cancel" : "Close"}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Progress({ of, done }: { readonly of: ShownPlan; readonly done: string }) {
  const { counts, letters, state, error } = of;
  const seen = counts.done + counts.added + counts.skipped + counts.missing;
  return (
    <>
      <progress max={letters} value={seen} aria-label="Dead letters seen to" />
      <p role="status">
        {count(counts.done)} {done}
        {counts.added > 0 && `, ${count(counts.added)} added again`}
        {counts.skipped > 0 &&
          `, ${count(counts.skipped)} stayed: their entries are no longer in the stream, or in work`}
        {counts.missing > 0 && `, ${count(counts.missing)} were gone before`}
        {state === "running" ? " …" : "."}
      </p>
      {error !== null && (
        <Notice tone="bad">
          Ended early: <Text of={error} />
        </Notice>
      )}
    </>
  );
}
