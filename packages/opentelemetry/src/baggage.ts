/** Between the baggage that a message carries and that of OpenTelemetry. As the W3C's recommendation "Baggage" writes it. */
import { type Baggage, type BaggageEntry, baggageEntryMetadataFromString, propagation } from "@opentelemetry/api";

export interface BaggagePolicy {
  /** `"*"`: all of them. */
  readonly names: readonly string[];
  readonly maxBytes: number;
}

// The recommendation asks for no more.
const MOST_ENTRIES = 64;
// Half of a surrogate pair is no text, and cannot be encoded.
const HALF = /\p{Surrogate}/u;
// What could not be told from the rest of the field.
const PROPERTIES = /^[\x21\x23-\x2b\x2d-\x7e \t]*$/;

/** What a message carries; `undefined`: nothing of it was asked for, or it has no room. */
export function encodeBaggage(baggage: Baggage | undefined, policy: BaggagePolicy): string | undefined {
  if (baggage === undefined || policy.names.length === 0) return undefined;
  let text = "";
  let count = 0;
  for (const [name, { value, metadata }] of baggage.getAllEntries()) {
    if (!isNamed(name, policy) || count === MOST_ENTRIES || HALF.test(name) || HALF.test(value)) continue;
    const properties = metadata?.toString() ?? "";
    const suffix = properties === "" || !PROPERTIES.test(properties) ? "" : `;${properties}`;
    const next = `${text === "" ? "" : ","}${encodeURIComponent(name)}=${encodeURIComponent(value)}${suffix}`;
    // All of it is ASCII.
    if (text.length + next.length > policy.maxBytes) continue;
    text += next;
    count++;
  }
  return text === "" ? undefined : text;
}

/** The baggage of a message, as far as it was asked for; `undefined`: none. What cannot be read is left out. */
export function decodeBaggage(text: string | undefined, policy: Pick<BaggagePolicy, "names">): Baggage | undefined {
  if (text === undefined || policy.names.length === 0) return undefined;
  const entries: Record<string, BaggageEntry> = Object.create(null) as Record<string, BaggageEntry>;
  for (const member of text.split(",", MOST_ENTRIES)) {
    const entry = parseMember(member);
    if (entry !== undefined && isNamed(entry[0], policy)) entries[entry[0]] = entry[1];
  }
  return Object.keys(entries).length === 0 ? undefined : propagation.createBaggage(entries);
}

function parseMember(member: string): readonly [name: string, entry: BaggageEntry] | undefined {
  const [pair = "", ...properties] = member.split(";");
  const at = pair.indexOf("=");
  if (at <= 0) return undefined;
  try {
    const name = decodeURIComponent(pair.slice(0, at).trim());
    const value = decodeURIComponent(pair.slice(at + 1).trim());
    if (name === "") return undefined;
    const metadata = properties.join(";").trim();
    return [name, metadata === "" ? { value } : { value, metadata: baggageEntryMetadataFromString(metadata) }];
  } catch {
    return undefined;
  }
}

const isNamed = (name: string, { names }: Pick<BaggagePolicy, "names">): boolean =>
  names.includes("*") || names.includes(name);
