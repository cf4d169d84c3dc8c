import type { ShownField } from "../../src/views/shown-fields.ts";
import { count, visible } from "./format.ts";

/** The fields of a message, as text. */
export function Fields({ of }: { readonly of: readonly ShownField[] }) {
  if (of.length === 0) return <span class="quiet">no fields</span>;
  return (
    <dl class="fields">
      {of.map(({ name, value, bytes, isCut }, at) => (
        <div key={at}>
          <dt>
            <bdi>{visible(name)}</bdi>
          </dt>
          <dd>
            {value === null ? <span class="quiet">hidden, {count(bytes)} bytes</span> : <bdi>{visible(value)}</bdi>}
            {isCut && <span class="quiet"> … of {count(bytes)} bytes</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
