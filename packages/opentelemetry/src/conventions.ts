/**
 * Names of OpenTelemetry's semantic conventions, 1.45. Those for messaging are in development, and their npm package changes them in
 * minor versions: so they are written here.
 */
export const SCHEMA_URL = "https://opentelemetry.io/schemas/1.45.0";
const SYSTEM = "messaging.system.name";
const OPERATION_NAME = "messaging.operation.name";
const OPERATION_TYPE = "messaging.operation.type";
const DESTINATION = "messaging.destination.name";
export const GROUP = "messaging.consumer.group.name";
export const CLIENT_ID = "messaging.client.id";
export const MESSAGE_ID = "messaging.message.id";
export const MESSAGE_COUNT = "messaging.batch.message_count";
export const ENVELOPE_SIZE = "messaging.message.envelope.size";
export const ERROR_TYPE = "error.type";

export const SENT = "messaging.client.sent.messages";
export const CONSUMED = "messaging.client.consumed.messages";
export const OPERATION_DURATION = "messaging.client.operation.duration";
export const PROCESS_DURATION = "messaging.process.duration";

/** The bounds that the conventions ask for, in seconds. */
export const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

// What the conventions have no name for.
export const BATCH_ID = "redis_batch.batch.id";
export const DELIVERY_COUNT = "redis_batch.message.delivery_count";
export const DUPLICATE = "redis_batch.message.duplicate";
export const REDELIVERED = "redis_batch.batch.redelivered_count";
/** How many messages of a batch came to each end. */
export const SETTLED = "redis_batch.settled";

/** What Redis Batch does, by the types of the conventions. */
const OPERATIONS = { add: "send", receive: "receive", process: "process", settle: "settle" } as const;
export type Operation = keyof typeof OPERATIONS;

/** The attributes that every span and measurement of an operation has. */
export const attributesOf = (operation: Operation, stream: string): Record<string, string> => ({
  [SYSTEM]: "redis",
  [OPERATION_NAME]: operation,
  [OPERATION_TYPE]: OPERATIONS[operation],
  [DESTINATION]: stream,
});
