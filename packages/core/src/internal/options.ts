/**
 * How the options of a service are read and checked.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export { didYouMean, OptionsReader } from "../options/options-reader.ts";
export { readService, readStream } from "../options/service-options.ts";
