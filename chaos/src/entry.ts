/** How an entry is called where several streams are together: an id alone may be in two of them. */

/** Puts the stream before the id if there are several. One stream's entries go by their ids, as in earlier versions. */
export function entryName(streams: readonly string[], stream: string, id: string): string {
  return streams.length > 1 ? `${stream}/${id}` : id;
}

/** Empty where there is only one stream. */
export function streamOf(entry: string): string {
  return entry.slice(0, Math.max(0, entry.lastIndexOf("/")));
}

export function idOf(entry: string): string {
  return entry.slice(entry.lastIndexOf("/") + 1);
}

/** When an entry was added, on the server's clock. */
export function addedAtMs(entry: string): number {
  return Number(idOf(entry).split("-")[0]);
}

/** The order of the entries of one stream. */
export function compareEntries(one: string, other: string): number {
  const [oneMs = 0, oneSeq = 0] = idOf(one).split("-").map(Number);
  const [otherMs = 0, otherSeq = 0] = idOf(other).split("-").map(Number);
  return oneMs - otherMs || oneSeq - otherSeq;
}
