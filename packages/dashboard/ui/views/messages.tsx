import { useState } from "preact/hooks";
import type { ShownMessages } from "../../src/views/messages.ts";
import { Command, Copy, Empty, Waiting } from "../parts/basics.tsx";
import { Fields } from "../parts/fields.tsx";
import { count, time } from "../parts/format.ts";
import { type Address, addressParameters } from "../state/address.ts";
import { nameText } from "../state/api.ts";
import { useAsk } from "../state/use-ask.ts";

const ORDERS = { next: "next for this group", newest: "newest first", oldest: "oldest first" } as const;

interface Query {
  readonly order: keyof typeof ORDERS;
  readonly from: string | null;
  readonly field: string | null;
  readonly value: string | null;
}

const ORDER_NAMES = Object.keys(ORDERS) as readonly (keyof typeof ORDERS)[];

/** The entries of the group's stream: those that it reads next, or whichever. */
export function MessagesView(address: Address) {
  const [query, setQuery] = useState<Query>({ order: "newest", from: null, field: null, value: null });
  const { order, from, field, value } = query;
  const asked = useAsk<ShownMessages>("messages", {
    ...{ ...addressParameters(address), order, from, limit: 25 },
    field: field === null ? null : nameText(field),
    value: value === null ? null : nameText(value),
  });
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => textIn(data, name);
    setQuery({
      order: ORDER_NAMES.find((one) => one === text("order")) ?? "newest",
      from: startOf(text("from")),
      field: text("field") === "" ? null : text("field"),
      value: text("value") === "" ? null : text("value"),
    });
  };
  return (
    <>
      <form class="filters" onSubmit={search}>
        <label>
          Order
          <select name="order">
            {ORDER_NAMES.map((one) => (
              <option key={one} value={one} selected={one === order}>
                {ORDERS[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          From id or time
          <input name="from" placeholder="1700000000000-0, 2026-11-29 12:00" />
        </label>
        <label>
          Field
          <input name="field" placeholder="order" />
        </label>
        <label>
          contains
          <input name="value" placeholder="A-17" />
        </label>
        <button type="submit">Search</button>
      </form>
      {asked.data === null ? (
        <Waiting error={asked.error} again={asked.again} />
      ) : (
        <Page of={asked.data} isFiltered={field !== null} next={(next) => setQuery({ ...query, from: next })} />
      )}
    </>
  );
}

/** What was typed into a field of a form. */
export function textIn(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** An id as it is, a time in milliseconds; anything else is asked for as it is typed, and refused. */
function startOf(text: string): string | null {
  if (text === "") return null;
  if (/^\(?\d+(-\d+)?$/.test(text)) return text;
  const atMs = new Date(text).getTime();
  return Number.isNaN(atMs) ? text : String(atMs);
}

interface PageProperties {
  readonly of: ShownMessages;
  readonly isFiltered: boolean;
  readonly next: (from: string) => void;
}

function Page({ of, isFiltered, next }: PageProperties) {
  const isPartial = of.messages.some(({ fields }) => fields.some(({ value, isCut }) => value === null || isCut));
  const lines = of.messages
    .map(({ id, fields }) =>
      JSON.stringify({ id, fields: Object.fromEntries(fields.map(({ name, value }) => [name, value])) }),
    )
    .join("\n");
  return (
    <>
      <div class="bar">
        <p class="summary">
          {count(of.messages.length)} shown{isFiltered && `, ${count(of.examined)} looked at`}.
        </p>
        {of.messages.length > 0 && <Copy text={lines} what="Copy as NDJSON" />}
      </div>
      {of.command !== null && <Command line={of.command} />}
      {isPartial && <p class="footnote">A copy has null for hidden values, and only the beginning of long ones.</p>}
      {of.messages.length === 0 && <Empty>{of.next === null ? "No messages." : "None of these match."}</Empty>}
      <ul class="messages">
        {of.messages.map(({ id, atMs, fields }) => (
          <li key={id}>
            <div class="id">
              <code>{id}</code>
              <span class="quiet">{time(atMs)}</span>
            </div>
            <Fields of={fields} />
          </li>
        ))}
      </ul>
      {of.next !== null && (
        <button type="button" onClick={() => of.next !== null && next(of.next)}>
          Next page
        </button>
      )}
    </>
  );
}
