/** The part of the port that adds messages: many at once. */
interface AddsMany<Entry> {
  xaddMany(entries: readonly Entry[]): Promise<readonly (string | Error)[]>;
}

/** Adds one entry → its id. Rejects with the error that the client has for it. */
export async function addEntry<Entry>(client: AddsMany<Entry>, entry: Entry): Promise<string> {
  const [outcome] = await client.xaddMany([entry]);
  if (typeof outcome !== "string") throw outcome ?? new Error("xaddMany gave no outcome");
  return outcome;
}
