import type { LoggedAction } from "../../src/views/audit.ts";
import { Command, Empty, Name, Text, Waiting } from "../parts/basics.tsx";
import { count, plural, time } from "../parts/format.ts";
import { groupAddress } from "../state/route.ts";
import { useAsk } from "../state/use-ask.ts";

/** What people did here. */
export function LogView() {
  const asked = useAsk<{ readonly actions: readonly LoggedAction[] }>("log", {});
  return (
    <>
      <div class="heading">
        <h1 tabIndex={-1}>Actions</h1>
        <button type="button" class="plain" onClick={asked.again}>
          Refresh
        </button>
      </div>
      {asked.data === null ? (
        <Waiting error={asked.error} again={asked.again} />
      ) : asked.data.actions.length === 0 ? (
        <Empty>Nobody has done anything from here.</Empty>
      ) : (
        <ol class="timeline">
          {asked.data.actions.map((one) => (
            <li key={`${one.stream} ${one.group} ${one.id}`}>
              <div class="line">
                <time>{time(one.atMs)}</time>
                <b>
                  <Text of={one.who} />
                </b>
                <span>
                  <Text of={one.action} /> of {one.letters !== null && `${plural(one.letters, "dead letter")} in `}
                  <a href={groupAddress(one.stream, one.group, one.letters === null ? "health" : "dead-letters")}>
                    <Name of={one.stream} /> / <Name of={one.group} />
                  </a>
                </span>
                <span class="tag">{outcomeOf(one)}</span>
              </div>
              {one.outcome !== null && one.outcome.error !== "" && (
                <p class="problem">
                  <Text of={one.outcome.error} />
                </p>
              )}
              {one.command !== "" && (
                <details>
                  <summary>The command that does the same</summary>
                  <Command line={one.command} />
                </details>
              )}
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function outcomeOf({ letters, outcome }: LoggedAction): string {
  if (outcome === null) return "no result yet";
  if (letters === null) return outcome.left === 0 ? "done" : "failed";
  return outcome.left === 0
    ? `${count(outcome.done)} done`
    : `${count(outcome.done)} done, ${count(outcome.left)} left`;
}
