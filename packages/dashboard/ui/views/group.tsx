import type { GroupReport, RetentionReport } from "@redis-batch/monitor";
import type { HistoryColumns } from "../../src/watch/history.ts";
import { Empty, Fact, Notice, Status, Text, Waiting } from "../parts/basics.tsx";
import { Chart } from "../parts/chart.tsx";
import { count, duration, rate, time, visible } from "../parts/format.ts";
import { type Address, addressParameters } from "../state/address.ts";
import { look } from "../state/live.ts";
import { groupAddress, TABS, type Tab } from "../state/route.ts";
import { useAsk } from "../state/use-ask.ts";
import { LettersView } from "./letters.tsx";
import { MessagesView } from "./messages.tsx";
import { PendingView } from "./pending.tsx";
import { ScalerView } from "./scaler.tsx";

interface GroupAnswer {
  readonly atMs: number;
  readonly length: number | null;
  readonly report: GroupReport;
  readonly wanted: number | null;
  readonly retention: RetentionReport;
  readonly history: HistoryColumns;
}

const NAMES: Readonly<Record<Tab, string>> = {
  health: "Health",
  "dead-letters": "Dead letters",
  pending: "Pending",
  messages: "Messages",
  scaler: "Scaler",
};

/** One consumer group. */
export function GroupView({ stream, group, tab }: Address & { readonly tab: Tab }) {
  const asked = useAsk<GroupAnswer>("group", addressParameters({ stream, group }), look.value);
  const report = asked.data?.report;
  return (
    <>
      <div class="heading">
        <h1 tabIndex={-1}>
          <span class="stream">
            <Text of={stream} />
          </span>
          <Text of={group} />
        </h1>
        {report !== undefined && <Status of={report.health} />}
      </div>
      {report !== undefined && (
        <p class="why">
          <Text of={report.reason} />
        </p>
      )}
      <nav class="tabs" aria-label={`Views of ${visible(group)}`}>
        {TABS.map((one) => (
          <a key={one} href={groupAddress(stream, group, one)} aria-current={one === tab ? "page" : undefined}>
            {NAMES[one]}
            {one === "dead-letters" && (report?.deadLetters ?? 0) > 0 && <b>{count(report?.deadLetters)}</b>}
            {one === "pending" && (report?.pending ?? 0) > 0 && <b>{count(report?.pending)}</b>}
          </a>
        ))}
      </nav>
      {tab === "health" &&
        (asked.data === null ? <Waiting error={asked.error} again={asked.again} /> : <Health of={asked.data} />)}
      {tab === "dead-letters" && <LettersView stream={stream} group={group} />}
      {tab === "pending" && <PendingView stream={stream} group={group} />}
      {tab === "messages" && <MessagesView stream={stream} />}
      {tab === "scaler" && <ScalerView stream={stream} group={group} />}
    </>
  );
}

function Health({ of }: { readonly of: GroupAnswer }) {
  const { report, history, wanted } = of;
  const { backlog, retention, released, later } = report;
  const isShort = history.atMs.length < 2;
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
        {wanted !== null && <Fact name="Consumers wanted">{count(wanted)}</Fact>}
      </dl>
      {isShort ? (
        <Empty>The charts begin when the dashboard has watched for some seconds.</Empty>
      ) : (
        <>
          <div class="charts">
            <Chart
              title="Backlog"
              unit="count"
              atMs={history.atMs}
              lines={[
                { name: "waiting", colour: "line-1", values: history.waiting },
                { name: "pending", colour: "line-2", values: history.pending },
              ]}
            />
            <Chart
              title="Age of the oldest"
              unit="ms"
              atMs={history.atMs}
              lines={[{ name: "age", colour: "line-3", values: history.ageMs }]}
            />
            <Chart
              title="Messages per second"
              unit="rate"
              atMs={history.atMs}
              lines={[
                { name: "in", colour: "line-1", values: history.inPerSecond },
                { name: "out", colour: "line-4", values: history.outPerSecond },
              ]}
            />
          </div>
          <p class="footnote">Watched since {time(history.atMs[0])}. One point each ten seconds, for an hour.</p>
        </>
      )}
      <Consumers of={report} />
      <h2>What the stream keeps</h2>
      <p>
        This group needs entries from <code>{retention.neededFromId}</code> on.{" "}
        {retention.pins ? "It decides how far the stream can be trimmed." : "Another group needs older ones."}
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

function Consumers({ of }: { readonly of: GroupReport }) {
  if (of.consumers.length === 0) return <Empty>No consumer is in this group.</Empty>;
  return (
    <>
      <h2>Consumers</h2>
      <div class="cards" role="region" aria-label="Consumers" tabIndex={0}>
        <table role="table">
          <thead>
            <tr role="row">
              <th role="columnheader" scope="col">
                Consumer
              </th>
              <th role="columnheader" scope="col">
                State
              </th>
              <th role="columnheader" scope="col" class="number">
                Pending
              </th>
              <th role="columnheader" scope="col" class="number">
                In work
              </th>
              <th role="columnheader" scope="col" class="number">
                Busy
              </th>
              <th role="columnheader" scope="col" class="number">
                Heard
              </th>
              <th role="columnheader" scope="col" class="number">
                Lease
              </th>
              <th role="columnheader" scope="col">
                Where
              </th>
            </tr>
          </thead>
          <tbody>
            {of.consumers.map((one) => (
              <tr role="row" key={one.consumer}>
                <td role="cell" class="name">
                  <Text of={one.consumer} />
                  <p class="reason">
                    <Text of={one.reason} />
                  </p>
                </td>
                <td role="cell" data-name="State">
                  <Status of={one.status} />
                </td>
                <td role="cell" class="number" data-name="Pending">
                  {count(one.pending)}
                  <span class="quiet"> of {count(one.capacity)}</span>
                </td>
                <td role="cell" class="number" data-name="In work">
                  {count(one.inFlight)}
                  {one.oldestInFlightMs !== null && <span class="quiet"> for {duration(one.oldestInFlightMs)}</span>}
                </td>
                <td role="cell" class="number" data-name="Busy">
                  {one.busyShare === null ? "–" : `${Math.round(one.busyShare * 100)} %`}
                </td>
                <td role="cell" class="number" data-name="Heard">
                  {duration(one.idleMs)} ago
                </td>
                <td role="cell" class="number" data-name="Lease">
                  {duration(one.leaseMs)}
                </td>
                <td role="cell" data-name="Where">
                  {one.foreign ? (
                    <span class="quiet">not of Redis Batch</span>
                  ) : (
                    <>
                      <Text of={one.host ?? "–"} />
                      {one.pid !== null && <span class="quiet"> pid {one.pid}</span>}
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
