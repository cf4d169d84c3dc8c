/** Maximum ids per call: far below what a script can unpack, and quick enough for a few milliseconds. */
const IDS_PER_CALL = 1_000;

/** Splits the items into parts of at most `size`, in order; none for no items. */
export function inParts<Item>(items: readonly Item[], size: number = IDS_PER_CALL): readonly (readonly Item[])[] {
  if (items.length > 0 && items.length <= size) return [items];
  const parts: (readonly Item[])[] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}
