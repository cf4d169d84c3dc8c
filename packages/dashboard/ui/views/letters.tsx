import type { LetterGroup } from "@redis-batch/core";
import { useState } from "preact/hooks";
import type { LetterAction } from "../../src/actions/plans.ts";
import type { LetterGroups, ShownLetter } from "../../src/views/letters.ts";
import { Empty, Text, Waiting } from "../parts/basics.tsx";
import { Fields } from "../parts/fields.tsx";
import { count, plural, time } from "../parts/format.ts";
import { type Meant, PlanDialog } from "../parts/plan-dialog.tsx";
import { type Address, addressParameters } from "../state/address.ts";
import { nameText } from "../state/api.ts";
import { session } from "../state/session.ts";
import { useAsk } from "../state/use-ask.ts";

/** Dead letters by what went wrong. */
export function LettersView(address: Address) {
  const asked = useAsk<LetterGroups>("letters/groups", addressParameters(address));
  const [meant, setMeant] = useState<Meant | null>(null);
  const [changes, setChanges] = useState(0);
  const mean = (action: LetterAction, what: Meant["what"]): void => setMeant({ action, ...address, what });
  const close = (): void => {
    setMeant(null);
    setChanges((before) => before + 1);
    asked.again();
  };
  const { data } = asked;
  if (data === null) return <Waiting error={asked.error} again={asked.again} />;
  return (
    <>
      <div class="bar">
        <p class="summary">
          {plural(data.total, "dead letter")}, {plural(data.groups.length, "kind")} of error.
          {data.examined < data.total && ` Looked at the newest ${count(data.examined)}.`}
        </p>
        <button type="button" class="plain" onClick={asked.again}>
          Refresh
        </button>
        {data.groups.length > 0 && <Actions mean={mean} what={{ all: true }} word="all" />}
      </div>
      {data.groups.length === 0 ? (
        <Empty>There are no dead letters.</Empty>
      ) : (
        <ul class="errors">
          {data.groups.map((one) => (
            <ErrorGroup key={one.key} of={one} address={address} mean={mean} changes={changes} />
          ))}
        </ul>
      )}
      {meant !== null && <PlanDialog of={meant} onClose={close} />}
    </>
  );
}

interface GroupProperties {
  readonly of: LetterGroup;
  readonly address: Address;
  readonly mean: (action: LetterAction, what: Meant["what"]) => void;
  readonly changes: number;
}

function ErrorGroup({ of, address, mean, changes }: GroupProperties) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <div class="line">
        <b class="amount">{count(of.letters)}</b>
        <div class="what">
          <p class="error">{of.error === "" ? <span class="quiet">no error text</span> : <Text of={of.error} />}</p>
          <p class="quiet">
            <Text of={of.reason} /> · first {time(of.firstAtMs)} · last {time(of.lastAtMs)}
          </p>
        </div>
        <div class="buttons">
          <button type="button" class="plain" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? "Hide" : "Show"}
          </button>
          <Actions mean={mean} what={{ key: of.key }} word="these" />
        </div>
      </div>
      {isOpen && <Letters address={address} of={of} mean={mean} changes={changes} />}
    </li>
  );
}

interface ActionsProperties {
  readonly mean: GroupProperties["mean"];
  readonly what: Meant["what"];
  readonly word: string;
}

function Actions({ mean, what, word }: ActionsProperties) {
  if (session.value?.mayAct !== true) return null;
  return (
    <>
      <button type="button" onClick={() => mean("redrive", what)}>
        Redrive {word}…
      </button>
      <button type="button" onClick={() => mean("discard", what)}>
        Discard {word}…
      </button>
    </>
  );
}

/** Some of one kind, the newest first; those that are ticked can be acted on. */
function Letters({ address, of, mean, changes }: Omit<GroupProperties, "changes"> & { readonly changes: number }) {
  const [before, setBefore] = useState<string | null>(null);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const parameters = { ...addressParameters(address), key: nameText(of.key), limit: 5, before };
  const asked = useAsk<{ readonly letters: readonly ShownLetter[]; readonly next: string | null }>(
    "letters",
    parameters,
    changes,
  );
  if (asked.data === null) return <Waiting error={asked.error} again={asked.again} />;
  const { letters, next } = asked.data;
  const tick = (id: string): void => {
    const chosen = new Set(ticked);
    if (!chosen.delete(id)) chosen.add(id);
    setTicked(chosen);
  };
  const ids = letters.map(({ id }) => id).filter((id) => ticked.has(id));
  return (
    <div class="letters">
      {ids.length > 0 && (
        <div class="bar">
          <span>{plural(ids.length, "dead letter")} chosen</span>
          <Actions mean={mean} what={{ ids }} word="chosen" />
        </div>
      )}
      {letters.map((letter) => (
        <article key={letter.id}>
          <header>
            {session.value?.mayAct === true && (
              <input
                type="checkbox"
                aria-label={`Choose ${letter.id}`}
                checked={ticked.has(letter.id)}
                onChange={() => tick(letter.id)}
              />
            )}
            <code>{letter.entryId}</code>
            <span class="quiet">
              {time(letter.atMs)} · {plural(letter.deliveries, "delivery", "deliveries")} · last held by{" "}
              <Text of={letter.consumer} />
            </span>
          </header>
          {letter.error !== "" && (
            <p class="error">
              <Text of={letter.error} />
            </p>
          )}
          <Fields of={letter.fields} />
        </article>
      ))}
      {letters.length === 0 && <Empty>None of them are left.</Empty>}
      <div class="buttons">
        {before !== null && (
          <button type="button" class="plain" onClick={() => setBefore(null)}>
            Newest
          </button>
        )}
        {next !== null && (
          <button type="button" class="plain" onClick={() => setBefore(next)}>
            Older
          </button>
        )}
      </div>
    </div>
  );
}
