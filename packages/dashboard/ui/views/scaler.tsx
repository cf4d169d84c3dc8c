import type { ScalerOrder } from "../../src/views/audit.ts";
import { Empty, Text, Waiting } from "../parts/basics.tsx";
import { time } from "../parts/format.ts";
import { type Address, addressParameters } from "../state/address.ts";
import { useAsk } from "../state/use-ask.ts";

/** What the scaler of the group ordered, when, and why. */
export function ScalerView(address: Address) {
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
        <ol class="timeline">
          {orders.map((order) => (
            <Order key={order.id} of={order} />
          ))}
        </ol>
      )}
    </>
  );
}

function Order({ of }: { readonly of: ScalerOrder }) {
  const { outcome } = of;
  const details = detailsOf(of.decision);
  return (
    <li class={of.to > of.from ? "out" : "in"}>
      <div class="line">
        <time>{time(of.atMs)}</time>
        <b>
          {of.from} → {of.to}
        </b>
        <span class={outcome?.what === "failed" ? "tag bad" : "tag"}>
          {outcome === null ? "no result yet" : outcome.what}
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
      {details.length > 0 && (
        <details>
          <summary>How it was decided</summary>
          <dl class="facts small">
            {details.map(([name, value]) => (
              <div class="fact" key={name}>
                <dt>
                  <Text of={name} />
                </dt>
                <dd>
                  <Text of={value} />
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}

/** The deciding factor, the terms of the sum and its inputs, as they were recorded. */
function detailsOf(decision: unknown): readonly (readonly [string, string])[] {
  if (typeof decision !== "object" || decision === null) return [];
  const { strategy, binding, terms, inputs } = decision as Readonly<Record<string, unknown>>;
  const flat = (value: unknown): readonly (readonly [string, string])[] =>
    Object.entries(Object(value) as object).map(([name, one]: [string, unknown]) => [name, shown(one)]);
  return [...flat({ strategy, binding }), ...flat(terms), ...flat(inputs)];
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
