export {
  type Codec,
  type Decoder,
  type Encoder,
  type FieldPairs,
  type Fields,
  type FieldsInput,
  type FieldValue,
  fieldsCodec,
  rawCodec,
} from "./codec.ts";
export { compareEntryIds, type EntryId, entryIdTimeMs, isEntryId } from "./entry-id.ts";
export * from "./errors.ts";
export { type JsonCodecOptions, jsonCodec } from "./json-codec.ts";
export type { Observer } from "./observer.ts";
export type { AddEachOptions, AddResult } from "./producer/add-each.ts";
export type { AddManyFailure, AddManyOptions, AddManyProgress, AddManyResult } from "./producer/add-many.ts";
export type { ProducerEvent } from "./producer/events.ts";
export { PRODUCER_DEFAULTS, type ProducerOptions, type WhileAway } from "./producer/options.ts";
export { type AddOptions, Producer } from "./producer.ts";
export type { RedisSource } from "./redis/open-client.ts";
export type { InferInput, InferOutput, SchemaIssue, SchemaResult, StandardSchema } from "./standard-schema.ts";
export type { ConnectionRole } from "./stream-client.ts";
export type { RawFields } from "./wire/entry.ts";
export type { GroupPosition } from "./wire/xgroup.ts";
export { withSchema } from "./with-schema.ts";
