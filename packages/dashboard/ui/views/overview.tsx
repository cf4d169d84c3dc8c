import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { type OverviewRow, rankOf } from "../../src/decisions/overview.ts";
import { Empty, Name, Status, Text } from "../parts/basics.tsx";
import { count, duration, plural, rate, shortName } from "../parts/format.ts";
import { Sparkline } from "../parts/sparkline.tsx";
import { keyOf, look, lookInfo, rows, sparkOf, sparkTick } from "../state/live.ts";
import { groupAddress } from "../state/route.ts";

const filter = signal("");
const only = signal<"all" | "attention">("all");

/** All streams and groups, worst first. */
export function Overview() {
  const all = rows.value;
  const bad = all.filter((row) => rankOf(row) > 1);
  const wanted = filter.value.trim().toLowerCase();
  const shown = (only.value === "all" ? all : bad).filter(
    ({ stream, group }) => wanted === "" || `${stream} ${group}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <div class="heading">
        <h1 tabIndex={-1}>Groups</h1>
        <p class="summary">{look.value === 0 ? "Looking…" : summaryOf(all, bad.length)}</p>
      </div>
      <div class="filters" role="search">
        <Search />
        <div class="choice" role="group" aria-label="Which groups">
          <button type="button" aria-pressed={only.value === "all"} onClick={() => (only.value = "all")}>
            All <b>{count(all.length)}</b>
          </button>
          <button type="button" aria-pressed={only.value === "attention"} onClick={() => (only.value = "attention")}>
            Need attention <b>{count(bad.length)}</b>
          </button>
        </div>
      </div>
      {shown.length > 0 ? <Table of={shown} /> : look.value > 0 && <Empty>{whyNone(all.length)}</Empty>}
      <Idle />
    </>
  );
}

function summaryOf(all: readonly OverviewRow[], bad: number): string {
  const streams = new Set(all.map(({ stream }) => stream)).size;
  const what = `${plural(all.length, "group")} of ${plural(streams, "stream")}`;
  return all.length === 0
    ? ""
    : bad === 0
      ? `${what}. All is well.`
      : `${what}. ${count(bad)} ${bad === 1 ? "needs" : "need"} attention.`;
}

const whyNone = (all: number): string =>
  all === 0
    ? "No stream here has a consumer group yet. Start a consumer, or create a group with redis-batch group create."
    : only.value === "attention" && filter.value === ""
      ? "Nothing needs attention."
      : "No group matches.";

function Search() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  return (
    <label class="search">
      <span>Filter by name</span>
      <input
        ref={input}
        type="search"
        value={filter.value}
        placeholder="Stream or group"
        aria-keyshortcuts="/"
        onInput={(event) => (filter.value = event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function Table({ of }: { readonly of: readonly OverviewRow[] }) {
  return (
    <div class="cards" role="region" aria-label="Groups, worst first">
      <table class="groups" role="table">
        <thead>
          <tr role="row">
            <th role="columnheader" scope="col">
              Group
            </th>
            <th role="columnheader" scope="col">
              State
            </th>
            <th role="columnheader" scope="col" class="number">
              Waiting
            </th>
            <th role="columnheader" scope="col" class="number">
              Oldest
            </th>
            <th role="columnheader" scope="col" class="number">
              In / out per second
            </th>
            <th role="columnheader" scope="col" class="number">
              Pending
            </th>
            <th role="columnheader" scope="col" class="number">
              Dead letters
            </th>
            <th role="columnheader" scope="col" class="number">
              Consumers
            </th>
          </tr>
        </thead>
        <tbody>
          {of.map((row) => (
            <Row key={keyOf(row)} row={row} tick={sparkTick.value} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Drawn again only when its row or its sparkline has changed: there may be a thousand. */
function Row({ row, tick }: { readonly row: OverviewRow; readonly tick: number }) {
  return useMemo(() => {
    const { stream, group, health, reason, deadLettersLastHour: added } = row;
    return (
      <tr role="row" class={rankOf(row) > 1 ? "attention" : ""}>
        <td role="cell" class="name">
          <a href={groupAddress(stream, group)}>
            <span class="stream">
              <Name of={stream} />
            </span>
            <span class="group">
              <Name of={group} />
            </span>
          </a>
          <p class="reason">
            <Text of={reason} />
          </p>
        </td>
        <td role="cell" data-name="State">
          <Status of={health} />
        </td>
        <td role="cell" class="number" data-name="Waiting">
          {row.isAtLeast && "≥ "}
          {count(row.waiting)}
        </td>
        <td role="cell" class="number" data-name="Oldest">
          {duration(row.ageMs)}
        </td>
        <td role="cell" class="number rates" data-name="In / out per second">
          <Sparkline of={sparkOf(keyOf(row))} />
          <span class="pair">
            <span class="in">{rate(row.inPerSecond)}</span> / <span class="out">{rate(row.outPerSecond)}</span>
          </span>
        </td>
        <td role="cell" class="number" data-name="Pending">
          {count(row.pending)}
        </td>
        <td role="cell" class="number" data-name="Dead letters">
          {row.deadLetters === 0 ? (
            "0"
          ) : (
            <a href={groupAddress(stream, group, "dead-letters")}>
              {count(row.deadLetters)}
              <span class="hidden"> dead letters of {shortName(group)}</span>
            </a>
          )}
          {added !== null && added > 0 && <span class="added">+{count(added)} this hour</span>}
        </td>
        <td role="cell" class="number" data-name="Consumers">
          {count(row.consumers)}
          {row.wanted !== null && <span class="quiet"> of {count(row.wanted)} wanted</span>}
          {row.unwell > 0 && <span class="added">{count(row.unwell)} unwell</span>}
        </td>
      </tr>
    );
  }, [row, tick]);
}

function Idle() {
  const idle = lookInfo.value?.idle ?? [];
  if (idle.length === 0) return null;
  return (
    <details class="idle">
      <summary>{plural(idle.length, "stream")} without a group</summary>
      <ul>
        {idle.map(({ stream, length }) => (
          <li key={stream}>
            <Name of={stream} /> <span class="quiet">{plural(length, "entry", "entries")}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
