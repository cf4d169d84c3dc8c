/**
 * Keys, ids, and the names that are shown or reserved.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export { entryIdDate } from "../names/entry-id.ts";
export { bookkeepingKeys, groupKey, idempotencyKey, isOwnKey } from "../names/keys.ts";
export { encodeShownJson, quoteName, showBytes } from "../names/names.ts";
export { isReservedConsumer, LATER, REDRIVE_CONSUMER, RELEASED } from "../names/reserved-consumers.ts";
export { shellWord } from "../names/shell-word.ts";
