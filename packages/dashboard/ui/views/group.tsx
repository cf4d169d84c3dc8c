import type { GroupReport, RetentionReport } from "@redis-batch/monitor";
import { useState } from "preact/hooks";
import type { GroupAct } from "../../src/decisions/command-line.ts";
import type { HistoryColumns } from "../../src/watch/history.ts";
import type { PartitionRow } from "../../src/watch/watcher.ts";
import { Empty, Fact, Name, Notice, Status, Text, Waiting } from "../parts/basics.tsx";
import { Chart } from "../parts/chart.tsx";
import { count, duration, limit, plural, rate, shortName } from "../parts/format.ts";
import { GroupDialog } from "../parts/group-dialog.tsx";
import { type Address, addressParameters } from "../state/address.ts";
import { look } from "../state/live.ts";
import { groupAddress, TABS, type Tab } from "../state/route.ts";
import { session } from "../state/session.ts";
import { useAsk } from "../state/use-ask.ts";
import { Consumers } from "./consumers.tsx";
import { LettersView } from "./letters.tsx";
import { MessagesView } from "./messages.tsx";
import { Partitions } from "./partitions.tsx";
import { PendingView } from "./pending.tsx";
import { ScalerView } from "./scaler.tsx";

interface GroupAnswer {
  readonly atMs: number;
  readonly length: number | null;
  readonly report: GroupReport;
  readonly wanted: number | null;
  readonly retention: RetentionReport;
  /** The other streams of consumers that read several, by their names. */
  readonly alsoReads: Readonly<Record<string, readonly string[]>>;
  /** Where the stream has partitions. */
  readonly partitions: readonly PartitionRow[] | null;
  /** The stream of which this one is a partition. */
  readonly partOf: string | null;
  readonly history: HistoryColumns;
}

/** Views of the messages of a stream: each partition has its own. */
const OF_MESSAGES: readonly Tab[] = ["pending", "messages"];

const NAMES: Readonly<Record<Tab, string>> = {
  health: "Health",
  "dead-letters": "Dead letters",
  pending: "Pending",
  messages: "Messages",
  scaler: "Scaler",
};

/** The charts, each with the names, colours and columns of its lines. */
const CHARTS: readonly {
  readonly title: string;
  readonly unit: "count" | "ms" | "rate";
  readonly lines: readonly (readonly [name: string, colour: string, column: keyof HistoryColumns])[];
}[] = [
  {
    ...{ title: "Backlog", unit: "count" },
    lines: [
      ["waiting", "line-1", "waiting"],
      ["pending", "line-2", "pending"],
    ],
  },
  { title: "Age of the oldest", unit: "ms", lines: [["age", "line-3", "ageMs"]] },
  {
    ...{ title: "Messages per second", unit: "rate" },
    lines: [
      ["in", "line-1", "inPerSecond"],
      ["out", "line-4", "outPerSecond"],
    ],
  },
];

/** One consumer group. */
export function GroupView({ stream, group, tab }: Address & { readonly tab: Tab }) {
  const asked = useAsk<GroupAnswer>("group", addressParameters({ stream, group }), look.value);
  const [acting, setActing] = useState<GroupAct["action"] | null>(null);
  const report = asked.data?.report;
  const partitions = asked.data?.partitions ?? null;
  // Until that is known, nothing is asked that only a partition can answer.
  const shown = OF_MESSAGES.includes(tab) && (asked.data === null || partitions !== null) ? null : tab;
  return (
    <>
      <div class="heading">
        <h1 tabIndex={-1}>
          <span class="stream">
            <Name of={stream} />
          </span>
          <Name of={group} />
        </h1>
        {report !== undefined && <Status of={report.health} />}
        {report !== undefined && session.value?.mayAct === true && asked.data?.partOf == null && (
          <div class="buttons">
            {report.pause !== null && (
              <button type="button" onClick={() => setActing("resume")}>
                Resume…
              </button>
            )}
            <button type="button" onClick={() => setActing("pause")}>
              {report.pause === null ? "Pause…" : "Change the pause…"}
            </button>
            {partitions === null && (
              <button type="button" onClick={() => setActing("rate")}>
                Rate…
              </button>
            )}
          </div>
        )}
      </div>
      {acting !== null && report !== undefined && (
        <GroupDialog action={acting} address={{ stream, group }} report={report} onClose={() => setActing(null)} />
      )}
      {report !== undefined && (
        <p class="why">
          <Text of={report.reason} />
        </p>
      )}
      {asked.data?.partOf != null && (
        <p>
          A partition of{" "}
          <a href={groupAddress(asked.data.partOf, group)}>
            <Text of={asked.data.partOf} />
          </a>
          .
        </p>
      )}
      <nav class="tabs" aria-label={`Views of ${shortName(group)}`}>
        {TABS.map((one) => (
          <a key={one} href={groupAddress(stream, group, one)} aria-current={one === tab ? "page" : undefined}>
            {NAMES[one]}{" "}
            {one === "dead-letters" && (report?.deadLetters ?? 0) > 0 && <b>{count(report?.deadLetters)}</b>}
            {one === "pending" && (report?.pending ?? 0) > 0 && <b>{count(report?.pending)}</b>}
          </a>
        ))}
      </nav>
      {tab === "health" &&
        (asked.data === null ? <Waiting error={asked.error} again={asked.again} /> : <Health of={asked.data} />)}
      {shown === null && asked.data === null && <Waiting error={asked.error} again={asked.again} />}
      {shown === null && report !== undefined && partitions !== null && (
        <>
          <p>Each partition has its own. Choose one.</p>
          <Partitions {...{ group, tab, rows: partitions, consumers: report.consumers }} />
        </>
      )}
      {shown === "dead-letters" && <LettersView stream={stream} group={group} />}
      {shown === "pending" && <PendingView stream={stream} group={group} />}
      {shown === "messages" && <MessagesView stream={stream} group={group} />}
      {tab === "scaler" && <ScalerView stream={stream} group={group} history={asked.data?.history ?? null} />}
    </>
  );
}

function Health({ of }: { readonly of: GroupAnswer }) {
  const { report, history, wanted } = of;
  const { backlog, released, later } = report;
  const isShort = history.atMs.length < 2;
  const parked = report.consumers.reduce((sum, one) => sum + (one.parked ?? 0), 0);
  const limited = report.consumers.filter(({ intake }) => intake === "rate-limited").length;
  return (
    <>
      <dl class="facts">
        <Fact name="Waiting">
          {backlog.source === "at least" && "≥ "}
          {count(backlog.messages)}
        </Fact>
        <Fact name="Oldest deliverable">{duration(report.oldestOfferableMs)}</Fact>
        <Fact name="In per second">{rate(report.inPerSecond)}</Fact>
        <Fact name="Out per second">{rate(report.outPerSecond)}</Fact>
        <Fact name="Pending">{count(report.pending)}</Fact>
        <Fact name="Released">{count(released.messages)}</Fact>
        <Fact name="Deferred">{count(later.messages)}</Fact>
        <Fact name="Dead letters">{count(report.deadLetters)}</Fact>
        {parked > 0 && <Fact name="Behind their keys">{count(parked)}</Fact>}
        {report.rateLimit !== null && (
          <Fact name="Rate at most">
            {limit(report.rateLimit)}
            {limited > 0 && <span class="quiet"> {plural(limited, "consumer")} waiting for it</span>}
          </Fact>
        )}
        {wanted !== null && <Fact name="Consumers wanted">{count(wanted)}</Fact>}
      </dl>
      {(report.rateLimit?.differing.length ?? 0) > 0 && (
        <Notice tone="warn">
          The options of <Text of={report.rateLimit?.differing.join(", ") ?? ""} /> have another rate. The group's
          counts.
        </Notice>
      )}
      {isShort ? (
        <Empty>The charts begin when the dashboard has watched for some seconds.</Empty>
      ) : (
        <>
          <div class="charts">
            {CHARTS.map(({ title, unit, lines }) => (
              <Chart
                key={title}
                {...{ title, unit, atMs: history.atMs }}
                lines={lines.map(([name, colour, column]) => ({ name, colour, values: history[column] }))}
              />
            ))}
          </div>
          <p class="footnote">One point each ten seconds. The dashboard keeps an hour of them in memory.</p>
        </>
      )}
      <Consumers of={report} alsoReads={of.alsoReads} />
      {of.partitions === null ? (
        <Kept of={of} />
      ) : (
        <Partitions {...{ group: report.group, tab: "health", rows: of.partitions, consumers: report.consumers }} />
      )}
    </>
  );
}

/** What of the stream may be removed. */
function Kept({ of }: { readonly of: GroupAnswer }) {
  const { retention } = of.report;
  return (
    <>
      <h2>What the stream keeps</h2>
      <p>
        This group needs entries from <code>{retention.neededFromId}</code> on.{" "}
        {retention.pins ? (
          "It decides how far the stream can be trimmed."
        ) : (
          <>
            The group <Text of={of.retention.pinnedBy ?? "–"} /> needs older ones.
          </>
        )}
        {retention.unreadLost !== null && retention.unreadLost > 0 && (
          <> At least {count(retention.unreadLost)} messages were removed before it had read them.</>
        )}
      </p>
      {of.retention.warnings.map((warning) => (
        <Notice key={warning} tone="warn">
          <Text of={warning} />
        </Notice>
      ))}
    </>
  );
}
