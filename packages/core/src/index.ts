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
} from "./codecs/codec.ts";
export { type JsonCodecOptions, jsonCodec } from "./codecs/json-codec.ts";
export type { InferInput, InferOutput, SchemaIssue, SchemaResult, StandardSchema } from "./codecs/standard-schema.ts";
export { withSchema } from "./codecs/with-schema.ts";
export { DeadLetters } from "./dead-letters/dead-letters.ts";
export type { DeadLettersEvent } from "./dead-letters/events.ts";
export type { LetterCriteria, LetterFilter } from "./dead-letters/filter.ts";
export type { DeadLetter, LetterId } from "./dead-letters/letter.ts";
export type { LetterGroup } from "./dead-letters/letter-groups.ts";
export {
  type ChosenLetters,
  DEAD_LETTERS_DEFAULTS,
  type DeadLettersOptions,
  type DiscardOptions,
  type FilteredLetters,
  type ListLettersOptions,
  type RedriveOptions,
  type SummariseOptions,
} from "./dead-letters/options.ts";
export type {
  DiscardProgress,
  LetterPage,
  LetterSummary,
  RedriveCounts,
  RedriveOutcome,
  RedriveReport,
} from "./dead-letters/report.ts";
export type { ErrorInfo } from "./errors/error-info.ts";
export * from "./errors/errors.ts";
export { compareEntryIds, type EntryId, entryIdTimeMs, isEntryId } from "./names/entry-id.ts";
export { deadLetterKey } from "./names/keys.ts";
export { bytesOfName, nameOfBytes, parseName, showName } from "./names/names.ts";
export { partitionOfKey, partitionStreams } from "./names/partitions.ts";
export type { AddEachOptions, AddResult } from "./producer/add-each.ts";
export type { AddManyFailure, AddManyOptions, AddManyProgress, AddManyResult } from "./producer/add-many.ts";
export type { ProducerEvent } from "./producer/events.ts";
export type { AddStart, AddTrace, ProducerInstrumentation } from "./producer/instrumentation.ts";
export { PRODUCER_DEFAULTS, type ProducerOptions, type WhileAway } from "./producer/options.ts";
export { type AddOptions, Producer } from "./producer/producer.ts";
export type { Credentials, CredentialsFunction, LoginCredentials } from "./redis/credentials.ts";
export type { LentClient, RedisSource } from "./redis/open-client.ts";
export type { RedisStandIn } from "./redis/stand-in.ts";
export type { LifecycleState } from "./service/lifecycle.ts";
export {
  type LogLevel,
  type LogObserverOptions,
  logObserver,
  type ObjectFirstLogger,
  pinoObserver,
  type WriteLog,
} from "./service/log-observer.ts";
export type { Observer } from "./service/observer.ts";
export type { ConnectionRole } from "./stream-client.ts";
export type { SkipReason } from "./wire/atomic/redrive.ts";
export type { RawFields } from "./wire/entry.ts";
export type { GroupPause } from "./wire/group-pause.ts";
export type { RateLimit } from "./wire/rate-limit.ts";
export type { TraceContext } from "./wire/trace-context.ts";
export type { GroupPosition } from "./wire/xgroup.ts";
