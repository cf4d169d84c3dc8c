/**
 * How thrown values are described, and kept from doing harm; numbers in sentences.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export { describeCount, describeMessages } from "../errors/describe-count.ts";
export { toErrorInfo } from "../errors/error-info.ts";
export { isAway } from "../errors/is-away.ts";
export { nullIfForbidden } from "../errors/null-if-forbidden.ts";
export { asError, describeThrown, isError, letGoOfParts, messageOf, placeOf } from "../errors/thrown.ts";
