import type { ScalerOrder } from "../../src/views/audit.ts";
import type { HistoryColumns } from "../../src/watch/history.ts";
import { Empty, Text, Waiting } from "../parts/basics.tsx";
import { Chart } from "../parts/chart.tsx";
import { duration, time } from "../parts/format.ts";
import { type Address, addressParameters } from "../state/address.ts";
import { useAsk } from "../state/use-ask.ts";

/** Between two points of a chart. */
const POINT_MS = 10_000;

interface ScalerProperties extends Address {
  /** `null`: not known yet. */
  readonly history: HistoryColumns | null;
}

/** What the scaler of the group ordered, when, and why. */
export function ScalerView({ history, ...address }: ScalerProperties) {
  const asked = useAsk<{ readonly orders: readonly ScalerOrder[] }>("scaler", addressParameters(address));
  if (asked.data === null) return <Waiting error={asked.error} again={asked.again} />;
  const { orders } = asked.data;
  return (
    <>
      <div class="bar">
        <p class="summary">The newest order first. A decision that changes nothing is not recorded.</p>
        <button type="button" class="plain" onClick={asked.again}>
          Refresh
        </button>
      </div>
      {orders.length === 0 ? (
        <Empty>No scaler has ordered anything for this group. redis-batch scale shows what one would do.</Empty>
      ) : (
        <>
          {history !== null && history.atMs.length > 1 && (
            <Chart
              {...{ title: "Consumers", unit: "count", atMs: history.atMs }}
              lines={[
                { name: "present", colour: "line-1", values: history.consumers },
                { name: "wanted", colour: "line-2", values: wantedAt(history.atMs, orders) },
              ]}
            />
          )}
          <ol class="timeline">
            {orders.map((order) => (
              <Order key={order.id} of={order} />
            ))}
          </ol>
        </>
      )}
    </>
  );
}

/** How many consumers were wanted at each time: what the last order before it said. */
function wantedAt(atMs: readonly number[], newestFirst: readonly ScalerOrder[]): readonly (number | null)[] {
  return atMs.map((ms) => newestFirst.find((order) => order.atMs <= ms + POINT_MS)?.to ?? null);
}

function Order({ of }: { readonly of: ScalerOrder }) {
  const { outcome } = of;
  const { strategy, binding, terms, inputs } = Object(of.decision) as Readonly<Record<string, unknown>>;
  const parts = [
    ["Terms", factsOf(terms)],
    ["Inputs", factsOf(inputs)],
  ] as const;
  return (
    <li>
      <div class="line">
        <time>{time(of.atMs)}</time>
        <b>
          {of.from} → {of.to}
        </b>
        {typeof binding === "string" && (
          <span class="tag" title="What decided">
            <Text of={binding} />
          </span>
        )}
        <span class={outcome?.what === "failed" ? "tag bad" : "tag"}>
          {outcome === null ? "no result yet" : outcome.what}
        </span>
        <span class="quiet">
          <Text of={typeof strategy === "string" ? `${strategy}, by ${of.executor}` : of.executor} />
        </span>
      </div>
      <p>
        <Text of={of.reason} />
      </p>
      {outcome?.what === "failed" && (
        <p class="problem">
          <Text of={outcome.error} />
        </p>
      )}
      {parts.some(([, facts]) => facts.length > 0) && (
        <details>
          <summary>How it was decided</summary>
          {parts.map(([title, facts]) => facts.length > 0 && <Facts key={title} title={title} of={facts} />)}
        </details>
      )}
    </li>
  );
}

function Facts({ title, of }: { readonly title: string; readonly of: readonly (readonly [string, string])[] }) {
  return (
    <>
      <h3>{title}</h3>
      <dl class="fields terms">
        {of.map(([name, value]) => (
          <div key={name}>
            <dt>
              <Text of={name} />
            </dt>
            <dd>
              <Text of={value} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** Each value with its name in words; of an object, each of its own. */
function factsOf(values: unknown, before = ""): readonly (readonly [string, string])[] {
  return Object.entries(Object(values) as object).flatMap(([name, value]: [string, unknown]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? factsOf(value, `${before}${wordsOf(name)}: `)
      : [[`${before}${wordsOf(name)}`, shown(name, value)] as const],
  );
}

/** `per consumer per second` of `perConsumerPerSecond`. The unit is in the value. */
const wordsOf = (name: string): string =>
  name.replace(/Ms$/, "").replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function shown(name: string, value: unknown): string {
  if (typeof value === "number" && name.endsWith("Ms")) return duration(value);
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return typeof value === "string" ? value : value === null ? "–" : JSON.stringify(value);
}
