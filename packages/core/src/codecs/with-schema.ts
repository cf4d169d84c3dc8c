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

// More would make the log line longer than useful.
const LISTED_ISSUES = 5;
const LONGEST_PATH = 100;

/**
 * A codec whose values are checked by a Standard Schema in both directions. Encoding checks the value and writes it
 * unchanged; decoding checks the value and returns the schema's output. So a schema that converts or fills in defaults
 * does so once, when decoding.
 *
 * A refused value is a `PayloadError` with the number of issues and their paths (up to five). The validator's own
 * messages are left out, because they may quote the value.
 *
 * A schema that validates asynchronously refuses every value, with an error that says so.
 *
 * @throws {ConfigError} when `schema` is not a Standard Schema
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
      // The schema has just accepted the value; the codec checks by itself what it can write.
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
  // All of it inside the guard: the validator's result may also run code of the application.
  const { output } = guardPayload("validation", () => {
    const result: unknown = schema["~standard"].validate(value);
    if (isThenable(result)) {
      letGo(result);
      // Not a ConfigError: Zod also returns a promise if a check of the schema throws, which may be the fault of one message.
      throw new PayloadError(
        "the schema returned a promise: it validates asynchronously, which a codec does not support, or one of its " +
          "checks threw; use a synchronous schema whose checks do not throw",
      );
    }
    if (typeof result !== "object" || result === null) {
      throw new PayloadError(`the schema returned ${describeShape(result)}, not { value } or { issues }`);
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
