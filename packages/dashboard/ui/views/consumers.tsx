import type { ConsumerReport, GroupReport } from "@redis-batch/monitor";
import { Empty, Name, Notice, Status, Text } from "../parts/basics.tsx";
import { count, duration, plural } from "../parts/format.ts";
import { type Column, Table } from "../parts/table.tsx";
import { groupAddress } from "../state/route.ts";

interface ConsumersProperties {
  readonly of: GroupReport;
  /** The other streams of consumers that read several, by their names. */
  readonly alsoReads: Readonly<Record<string, readonly string[]>>;
}

const COLUMNS: readonly Column<ConsumerReport>[] = [
  { name: "State", cell: (one) => <Status of={one.status} /> },
  {
    ...{ name: "Pending", isNumber: true },
    cell: (one) => (
      <>
        {count(one.pending)}
        <span class="quiet"> of {count(one.capacity)}</span>
      </>
    ),
  },
  {
    ...{ name: "In work", isNumber: true },
    cell: (one) => (
      <>
        {count(one.inFlight)}
        {one.oldestInFlightMs !== null && <span class="quiet"> for {duration(one.oldestInFlightMs)}</span>}
      </>
    ),
  },
  {
    ...{ name: "Busy", isNumber: true },
    cell: (one) => (one.busyShare === null ? "–" : `${Math.round(one.busyShare * 100)} %`),
  },
  { name: "Heard", isNumber: true, cell: (one) => `${duration(one.idleMs)} ago` },
  { name: "Lease", isNumber: true, cell: (one) => duration(one.leaseMs) },
  { name: "Version", cell: (one) => <Text of={one.version ?? "–"} /> },
  {
    name: "Where",
    cell: (one) =>
      one.foreign ? (
        <span class="quiet">not of Redis Batch</span>
      ) : (
        <>
          <Text of={one.host ?? "–"} />
          {one.pid !== null && <span class="quiet"> pid {one.pid}</span>}
        </>
      ),
  },
];

/** The consumers of a group, what each does, and where. */
export function Consumers({ of, alsoReads }: ConsumersProperties) {
  if (of.consumers.length === 0) return <Empty>No consumer is in this group.</Empty>;
  const alone = of.consumers.find(({ isAlone, status }) => isAlone === true && status !== "DEAD");
  return (
    <>
      <h2>Consumers</h2>
      {alone !== undefined && (
        <Notice tone="quiet">
          <Text of={alone.consumer} /> keeps the messages of each key in order, for the whole group. No other consumer
          of Redis Batch may join.
        </Notice>
      )}
      <Table
        label="Consumers"
        first="Consumer"
        rows={of.consumers}
        keyOf={(one) => one.consumer}
        name={(one) => (
          <>
            <Name of={one.consumer} />
            <p class="reason">
              <Text of={one.reason} />
            </p>
            {(one.parked ?? 0) > 0 && (
              <p class="reason">
                {plural(one.parked ?? 0, "message")} of {plural(one.blockedKeys ?? 0, "key")} waiting behind an earlier
                one of the same key
              </p>
            )}
            <OtherStreams of={alsoReads[one.consumer] ?? []} group={of.group} />
          </>
        )}
        columns={COLUMNS}
      />
    </>
  );
}

const MOST_NAMED = 6;

function OtherStreams({ of, group }: { readonly of: readonly string[]; readonly group: string }) {
  if (of.length === 0) return null;
  return (
    <p class="reason">
      Also reads{" "}
      {of.slice(0, MOST_NAMED).map((stream, at) => (
        <span key={stream}>
          {at > 0 && ", "}
          <a href={groupAddress(stream, group)}>
            <Text of={stream} />
          </a>
        </span>
      ))}
      {of.length > MOST_NAMED && `, and ${of.length - MOST_NAMED} more`}
    </p>
  );
}
