export { compareEntryIds, type EntryId, entryIdTimeMs, isEntryId } from "./entry-id.ts";
export * from "./errors.ts";
