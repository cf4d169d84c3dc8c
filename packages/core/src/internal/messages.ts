/**
 * Entries and what is made of them: how they are delivered, decoded and written.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export { encodeValue, KEY_FIELD } from "../codecs/encode-fields.ts";
export { describeShape, guardPayload } from "../codecs/payload-guard.ts";
export { encodeHistory, readLetter, wholeFieldsOf } from "../dead-letters/letter.ts";
export { groupLetters, keyOfLetter, type LetterFacts } from "../dead-letters/letter-groups.ts";
export { FIRST_PAGE as FIRST_PAGE_SIZE, mergeScans, nextPageSize } from "../dead-letters/scan.ts";
export { encodePlacedId, type Placed, parsePlacedId, placeBehind, startIn } from "../names/placed-id.ts";
export type { HandOverRefusal } from "../wire/atomic/hand-over.ts";
export { inStreamOrder } from "../wire/atomic/own-messages.ts";
export type { DueTime } from "../wire/atomic/read-due.ts";
export type { DeliveredEntry } from "../wire/atomic/redeliver-own.ts";
export type { StreamEntry } from "../wire/entry.ts";
export { ownFieldsOf, payloadBytesOf, textOf, textOfField, traceContextOf } from "../wire/packed-entry.ts";
export { parseTraceContext } from "../wire/trace-context.ts";
export { idText } from "../wire/xack.ts";
