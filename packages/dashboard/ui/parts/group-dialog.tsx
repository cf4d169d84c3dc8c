/** Asks before a group is paused, resumed or given a rate, and shows the command that does the same. */
import type { GroupReport } from "@redis-batch/monitor";
import { useEffect, useState } from "preact/hooks";
import type { GroupActed } from "../../src/actions/group-actions.ts";
import type { GroupAct } from "../../src/decisions/command-line.ts";
import type { Address } from "../state/address.ts";
import { ask } from "../state/api.ts";
import { Command, Name, Notice, Text } from "./basics.tsx";
import { Dialog } from "./dialog.tsx";
import { count, limit, time } from "./format.ts";

interface GroupDialogProperties {
  readonly action: GroupAct["action"];
  readonly address: Address;
  readonly report: Pick<GroupReport, "pause" | "rateLimit">;
  readonly onClose: () => void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** For how long; 0 is until somebody resumes it. */
const PAUSES: readonly (readonly [forMs: number, name: string])[] = [
  [10 * MINUTE_MS, "10 minutes"],
  [30 * MINUTE_MS, "30 minutes"],
  [HOUR_MS, "1 hour"],
  [4 * HOUR_MS, "4 hours"],
  [24 * HOUR_MS, "1 day"],
  [0, "until somebody resumes it"],
];
const PERIODS: readonly (readonly [perMs: number, name: string])[] = [
  [1_000, "second"],
  [MINUTE_MS, "minute"],
  [HOUR_MS, "hour"],
  [24 * HOUR_MS, "day"],
];
const LONGEST_REASON = 500;
const MOST_MESSAGES = 1_000_000_000;

const WORDS: Readonly<Record<GroupAct["action"], { readonly title: string; readonly says: string }>> = {
  pause: {
    title: "Pause the group",
    says: "Within a heartbeat every consumer stops taking messages and finishes what is open. Nothing is lost, and who joins meanwhile rests as well.",
  },
  resume: { title: "Resume the group", says: "All consumers go on within a heartbeat." },
  rate: {
    title: "Rate of the group",
    says: "How many messages all consumers together offer to their handlers, whatever their own options say. They learn it within a heartbeat.",
  },
};

export function GroupDialog({ action, address, report, onClose }: GroupDialogProperties) {
  const [forMs, setForMs] = useState(30 * MINUTE_MS);
  const [reason, setReason] = useState("");
  const [isLimited, setLimited] = useState(true);
  const [messages, setMessages] = useState(report.rateLimit?.messages ?? 100);
  const [perMs, setPerMs] = useState(report.rateLimit?.perMs ?? 1_000);
  // What is shown now counts: the page goes on while the dialog is open.
  const [seenSinceMs] = useState(report.pause?.sinceMs ?? null);
  const [isActing, setActing] = useState(false);
  const [done, setDone] = useState<GroupActed | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [command, setCommand] = useState<string | null>(null);
  const body = { ...actOf(), ...address, seenSinceMs };
  const asked = JSON.stringify(body);
  const { title, says } = WORDS[action];
  const tell = (thrown: unknown): void => setError(thrown instanceof Error ? thrown.message : String(thrown));
  useEffect(() => {
    const ending = new AbortController();
    ask<{ readonly command: string }>("group/command", { method: "POST", body, signal: ending.signal }).then(
      (answer) => setCommand(answer.command),
      (thrown: unknown) => {
        if (!ending.signal.aborted) tell(thrown);
      },
    );
    return () => ending.abort();
  }, [asked]);

  function actOf(): GroupAct {
    if (action === "pause") return { action, forMs: forMs === 0 ? null : forMs, reason: reason.trim() || null };
    if (action === "resume") return { action };
    return { action, limit: isLimited ? { messages, perMs } : null };
  }
  const begin = async (): Promise<void> => {
    setActing(true);
    setError(null);
    await ask<GroupActed>("group/act", { method: "POST", body }).then(setDone, tell);
    setActing(false);
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {(close) => (
        <>
          {error !== null && (
            <Notice tone="bad">
              <Text of={error} />
            </Notice>
          )}
          <p>
            <b>
              <Name of={address.stream} /> / <Name of={address.group} />
            </b>
            . {says}
          </p>
          {done === null && report.pause !== null && action !== "rate" && <Current pause={report.pause} />}
          {done === null && action === "pause" && (
            <div class="settings">
              <label>
                For how long
                <select value={forMs} onChange={(event) => setForMs(Number(event.currentTarget.value))}>
                  {PAUSES.map(([ms, name]) => (
                    <option key={ms} value={ms}>
                      {name}
                    </option>
                  ))}
                </select>
              </label>
              <label class="wide">
                Why, for those who find it paused
                <input
                  type="text"
                  maxLength={LONGEST_REASON}
                  value={reason}
                  placeholder="the database moves"
                  onInput={(event) => setReason(event.currentTarget.value)}
                />
              </label>
            </div>
          )}
          {done === null && action === "rate" && (
            <div class="settings">
              <label class="check">
                <input
                  type="checkbox"
                  checked={isLimited}
                  onChange={(event) => setLimited(event.currentTarget.checked)}
                />
                Limit the group
              </label>
              {isLimited && (
                <>
                  <label>
                    Messages
                    <input
                      type="number"
                      min={1}
                      max={MOST_MESSAGES}
                      value={messages}
                      onChange={(event) =>
                        setMessages(
                          Math.min(Math.max(Math.floor(event.currentTarget.valueAsNumber) || 1, 1), MOST_MESSAGES),
                        )
                      }
                    />
                  </label>
                  <label>
                    Per
                    <select value={perMs} onChange={(event) => setPerMs(Number(event.currentTarget.value))}>
                      {periodsWith(report.rateLimit?.perMs ?? 1_000).map(([ms, name]) => (
                        <option key={ms} value={ms}>
                          {name}
                        </option>
                      ))}
                    </select>
                  </label>
                </>
              )}
            </div>
          )}
          {command !== null && <Command line={done?.command ?? command} />}
          {done !== null && <Done action={action} of={done} />}
          <div class="buttons">
            {done === null && (
              <button type="button" class="primary" disabled={isActing} onClick={() => void begin()}>
                {action === "pause" ? "Pause" : action === "resume" ? "Resume" : isLimited ? "Set" : "Remove"}
              </button>
            )}
            <button type="button" onClick={close}>
              {done === null ? "Cancel" : "Close"}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Current({ pause }: { readonly pause: NonNullable<GroupReport["pause"]> }) {
  return (
    <p>
      Paused by <Text of={pause.by} /> at {time(pause.sinceMs)},{" "}
      {pause.untilMs === null ? "until somebody resumes it" : `until ${time(pause.untilMs)}`}
      {pause.reason !== null && (
        <>
          : <Text of={pause.reason} />
        </>
      )}
      .
    </p>
  );
}

function Done({ action, of }: { readonly action: GroupAct["action"]; readonly of: GroupActed }) {
  const others = of.pause?.notObeyedBy ?? [];
  return (
    <>
      <p role="status">
        {{ pause: "Paused.", resume: "Resumed.", rate: "The rate is changed." }[action]}
        {of.rateBefore !== null && ` It was ${limit(of.rateBefore)} before.`}
      </p>
      {others.length > 0 && (
        <Notice tone="warn">
          {count(others.length)} {others.length === 1 ? "consumer goes" : "consumers go"} on, because of an earlier
          version or not of Redis Batch: <Text of={others.slice(0, MOST_NAMED).join(", ")} />
          {others.length > MOST_NAMED && ` and ${count(others.length - MOST_NAMED)} more`}. Stop these by hand.
        </Notice>
      )}
      {of.error !== null && (
        <Notice tone="bad">
          <Text of={of.error} />
        </Notice>
      )}
    </>
  );
}

const MOST_NAMED = 6;

/** The usual ones, and the one that the group has. */
const periodsWith = (perMs: number): typeof PERIODS =>
  PERIODS.some(([ms]) => ms === perMs) ? PERIODS : [[perMs, `${count(perMs)} ms`], ...PERIODS];
