/** Which outcome each message of a batch gets when the handler has returned. */

export interface RetryVerdict {
  readonly delayMs?: number | undefined;
  readonly reason?: unknown;
}

/** What a handler returned, in one shape. `rest`: the outcome of every open message that is not named. */
export interface NamedOutcomes<Item> {
  readonly ack: readonly Item[];
  readonly retry: readonly { readonly message: Item; readonly verdict: RetryVerdict }[];
  readonly deadLetter: readonly { readonly message: Item; readonly reason: unknown }[];
  readonly rest: "ack" | "retry" | undefined;
}

export interface Settlements<Item> {
  readonly ack: readonly Item[];
  readonly retry: readonly { readonly message: Item; readonly verdict: RetryVerdict }[];
  readonly deadLetter: readonly { readonly message: Item; readonly reason: unknown }[];
  /** Not named: they are redelivered as well, without having failed. */
  readonly unnamed: readonly Item[];
}

/**
 * Gives each message without an outcome (`open`) exactly one. Messages that have one keep it, whatever the handler returned.
 *
 * @returns the outcomes, or a sentence that says what is contradictory; then none may be carried out
 */
export function decideSettlement<Item>(
  batch: readonly Item[],
  open: readonly Item[],
  outcomes: NamedOutcomes<Item>,
): Settlements<Item> | string {
  const members = new Set(batch);
  const named = new Set<Item>();
  const all = [
    ...outcomes.ack,
    ...outcomes.retry.map(({ message }) => message),
    ...outcomes.deadLetter.map(({ message }) => message),
  ];
  for (const message of all) {
    if (!members.has(message)) return "it names a message that is not of this batch";
    if (named.has(message)) return "it names one message twice";
    named.add(message);
  }
  const isOpen = new Set(open);
  const rest = open.filter((message) => !named.has(message));
  return {
    ack: [...outcomes.ack.filter((message) => isOpen.has(message)), ...(outcomes.rest === "ack" ? rest : [])],
    retry: [
      ...outcomes.retry.filter(({ message }) => isOpen.has(message)),
      ...(outcomes.rest === "retry" ? rest.map((message) => ({ message, verdict: {} })) : []),
    ],
    deadLetter: outcomes.deadLetter.filter(({ message }) => isOpen.has(message)),
    unnamed: outcomes.rest === undefined ? rest : [],
  };
}
