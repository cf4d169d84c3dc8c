import { useState } from "preact/hooks";
import type { PendingPage, ShownPending } from "../../src/views/messages.ts";
import { Empty, Text, Waiting } from "../parts/basics.tsx";
import { count, duration, plural, time, visible } from "../parts/format.ts";
import { type Column, Table } from "../parts/table.tsx";
import { type Address, addressParameters } from "../state/address.ts";
import { nameText } from "../state/api.ts";
import { useAsk } from "../state/use-ask.ts";

const STATES: Readonly<Record<ShownPending["state"], string>> = {
  held: "held",
  released: "released: any consumer with room claims it",
  later: "deferred",
};

const COLUMNS: readonly Column<ShownPending>[] = [
  {
    name: "Held by",
    cell: (one) => (
      <>
        {one.consumer === null ? <span class="quiet">{STATES[one.state]}</span> : <Text of={one.consumer} />}
        {one.dueAtMs !== null && <span class="quiet">, due {time(one.dueAtMs)}</span>}
      </>
    ),
  },
  { name: "Added", cell: (one) => time(one.atMs) },
  { name: "Idle", isNumber: true, cell: (one) => (one.idleMs < 0 ? "–" : duration(one.idleMs)) },
  { name: "Deliveries", isNumber: true, cell: (one) => count(one.deliveries) },
];

/** Messages that were delivered and not acknowledged, the oldest first. */
export function PendingView(address: Address) {
  const [consumer, setConsumer] = useState<string | null>(null);
  const [minDeliveries, setMinDeliveries] = useState(0);
  const [from, setFrom] = useState<string | null>(null);
  const asked = useAsk<PendingPage>("pending", {
    ...{ ...addressParameters(address), minDeliveries, from, limit: 100 },
    consumer: consumer === null ? null : nameText(consumer),
  });
  const { data } = asked;
  if (data === null) return <Waiting error={asked.error} again={asked.again} />;
  return (
    <>
      <div class="filters">
        <label>
          Held by
          <select
            value={consumer ?? ""}
            onChange={(event) => {
              setConsumer(event.currentTarget.value === "" ? null : event.currentTarget.value);
              setFrom(null);
            }}
          >
            <option value="">anybody</option>
            {data.owners.map((one) => (
              <option key={one.consumer} value={one.consumer}>
                {visible(one.consumer)} ({count(one.pending)})
              </option>
            ))}
          </select>
        </label>
        <label>
          Deliveries at least
          <select
            value={minDeliveries}
            onChange={(event) => {
              setMinDeliveries(Number(event.currentTarget.value));
              setFrom(null);
            }}
          >
            {[0, 2, 3, 5, 10].map((one) => (
              <option key={one} value={one}>
                {one === 0 ? "any" : one}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="plain" onClick={asked.again}>
          Refresh
        </button>
      </div>
      <p class="summary">
        {plural(data.total, "message")} pending, {count(data.messages.length)} shown.
      </p>
      {data.messages.length === 0 ? (
        <Empty>{data.total === 0 ? "Nothing is pending." : "No message matches."}</Empty>
      ) : (
        <Table
          {...{ label: "Pending messages", first: "Message", rows: data.messages, columns: COLUMNS }}
          keyOf={(one) => one.id}
          name={(one) => <code>{one.id}</code>}
        />
      )}
      {data.next !== null && (
        <button type="button" onClick={() => setFrom(data.next)}>
          Next page
        </button>
      )}
    </>
  );
}
