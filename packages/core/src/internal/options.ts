/**
 * How the options of a service are read and checked.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export {
  type DefaultsOf,
  defaultsOf,
  type OptionSpec,
  type OptionSpecs,
  type OptionsOf,
  type PolicyOf,
  type WithRedis,
} from "../options/option-spec.ts";
export { didYouMean, OptionsReader } from "../options/options-reader.ts";
