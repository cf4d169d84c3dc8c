import { ConfigError, PayloadError } from "../errors/errors.ts";
import { isThenable, letGo } from "../errors/thrown.ts";
import type { Codec, Decoder, Encoder } from "./codec.ts";
import { describeShape, guardPayload } from "./payload-guard.ts";
import {
  type InferInput,
  type InferOutput,
  isStandardSchema,
  type SchemaIssue,
  type StandardSchema,
} from "./standard-schema.ts";

// More would make a log line of a broken payload longer than it is useful.
const LISTED_ISSUES = 5;
const LONGEST_PATH = 100;

/**
 * A codec whose values a Standard Schema checks in both directions. Writing checks the value and writes it as it was
 * given; reading checks what was read and gives what the schema makes of it. So a schema that converts or fills in
 * defaults does so once, when reading.
 *
 * A refused value is a `PayloadError` that lists where it is wrong (up to five paths) and how many issues there are. The
 * validator's own messages are left out, because they may quote the value.
 *
 * A schema that validates asynchronously refuses every value, saying so.
 *
 * @throws {ConfigError} when `schema` is no Standard Schema
 *
 * @example
 * const codec = withSchema(fieldsCodec, z.object({ id: z.string(), cents: z.coerce.number<string | number>() }));
 */
export function withSchema<Schema extends StandardSchema>(
  codec: Encoder<never> & Decoder<unknown>,
  schema: Schema,
): Codec<InferOutput<Schema>, InferInput<Schema>> {
  if (!isStandardSchema(schema)) throw new ConfigError("withSchema", ["schema must be a Standard Schema"]);
  return {
    encode(value) {
      validate(schema, value);
      // The schema has just said that it is such a value; the codec checks on its own what it can write.
      return codec.encode(value as never);
    },
    decode: (fields) =>
      validate(
        schema,
        guardPayload("decoding", () => codec.decode(fields)),
      ),
  };
}

function validate(schema: StandardSchema, value: unknown): unknown {
  // All of it in the guard: what the validator answers is code of the application's as well.
  const { output } = guardPayload("validation", () => {
    const result: unknown = schema["~standard"].validate(value);
    if (isThenable(result)) {
      letGo(result);
      // Not a ConfigError: Zod answers so as well when a check of the schema throws, and that may be one message's fault.
      throw new PayloadError(
        "the schema answered with a promise: it validates asynchronously, for which a codec cannot wait, or one of its " +
          "checks threw; use a synchronous schema whose checks do not throw",
      );
    }
    if (typeof result !== "object" || result === null) {
      throw new PayloadError(`the schema answered with ${describeShape(result)}, and not with { value } or { issues }`);
    }
    const { issues, value: read } = result as { readonly issues?: readonly SchemaIssue[]; readonly value: unknown };
    if (issues !== undefined) throw new PayloadError(describeIssues(issues));
    return { output: read };
  });
  return output;
}

function describeIssues(issues: readonly SchemaIssue[]): string {
  const paths = [...new Set(issues.map(describePath))];
  const listed = paths.slice(0, LISTED_ISSUES).join(", ");
  const more = paths.length > LISTED_ISSUES ? " and more" : "";
  return `the value does not fit the schema: ${issues.length} ${issues.length === 1 ? "issue" : "issues"} at ${listed}${more}`;
}

function describePath({ path = [] }: SchemaIssue): string {
  if (path.length === 0) return "the top level";
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  const text = keys.join(".");
  return JSON.stringify(text.length > LONGEST_PATH ? `${text.slice(0, LONGEST_PATH)}…` : text);
}
