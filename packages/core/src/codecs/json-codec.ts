import { isUtf8 } from "node:buffer";
import { PayloadError } from "../errors/errors.ts";
import { OptionsReader } from "../options/options-reader.ts";
import type { RawFields } from "../wire/entry.ts";
import type { Codec } from "./codec.ts";
import { describeShape } from "./payload-guard.ts";
import { type InferInput, type InferOutput, isStandardSchema, type StandardSchema } from "./standard-schema.ts";
import { withSchema } from "./with-schema.ts";

export interface JsonCodecOptions<Schema extends StandardSchema = StandardSchema> {
  /** The name of the one field that holds the JSON. Default `"data"`. Producer and consumer must agree on it. */
  readonly field?: string | undefined;
  /** A schema that checks values in both directions; see {@link withSchema}. Without one, the type is not checked. */
  readonly schema?: Schema | undefined;
}

/**
 * Writes the value as JSON into one field. Values that `JSON.stringify` refuses are refused (`undefined`, BigInt,
 * cycles); values that it silently changes (`NaN` to `null`, a `Date` to text) are changed here too. Other fields of an
 * entry are ignored when reading.
 *
 * @throws {ConfigError} when an option is wrong
 *
 * @example
 * const codec = jsonCodec({ schema: z.object({ id: z.string(), cents: z.int() }) });
 */
export function jsonCodec<Schema extends StandardSchema>(
  options: JsonCodecOptions<Schema> & { readonly schema: Schema },
): Codec<InferOutput<Schema>, InferInput<Schema>>;
export function jsonCodec<Value>(options?: Pick<JsonCodecOptions, "field">): Codec<Value>;
export function jsonCodec(options: JsonCodecOptions = {}): Codec<unknown> {
  const reader = new OptionsReader("jsonCodec", options, ["field", "schema"]);
  const field = reader.text("field", "data");
  const { schema } = options;
  if (schema !== undefined && !isStandardSchema(schema)) reader.problem("schema must be a Standard Schema");
  reader.finish({});
  const codec = plainJsonCodec(field);
  return schema === undefined ? codec : withSchema(codec, schema);
}

function plainJsonCodec(field: string): Codec<unknown> {
  return {
    encode(value) {
      const json = stringify(value);
      if (json === undefined) {
        throw new PayloadError(
          `${describeShape(value)} cannot be written as JSON; use null, or do not add the message`,
        );
      }
      return { [field]: json };
    },
    decode(fields) {
      const bytes = lastValue(fields, field);
      if (bytes === undefined) {
        throw new PayloadError(
          `no field ${JSON.stringify(field)} in this entry; the producer must write JSON into it, or set jsonCodec({ field })`,
        );
      }
      if (!isUtf8(bytes)) throw new PayloadError(`field ${JSON.stringify(field)} is not UTF-8, so it is not JSON`);
      return parse(bytes.toString(), field);
    },
  };
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // The engine's message names the properties of a cycle; no more can be reported safely.
    const said = error instanceof TypeError ? error.message : "";
    if (said.includes("BigInt")) {
      throw new PayloadError("a BigInt cannot be written as JSON; convert it to text, or to a number if it fits");
    }
    if (said.includes("circular")) {
      throw new PayloadError("a value that contains itself cannot be written as JSON; leave out the reference");
    }
    throw error;
  }
}

function parse(json: string, field: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // Without the cause: JSON.parse quotes the text.
    throw new PayloadError(`field ${JSON.stringify(field)} holds ${json.length} characters that are not JSON`);
  }
}

function lastValue(fields: RawFields, name: string): Buffer | undefined {
  for (let index = fields.length - 2; index >= 0; index -= 2) {
    if (String(fields[index]) === name) return fields[index + 1];
  }
  return undefined;
}
