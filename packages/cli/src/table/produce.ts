import { PRODUCER_SPEC } from "@redis-batch/core/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";

export const produce = defineCommand({
  path: ["produce"],
  summary: "Add messages to a stream",
  about: [
    "Messages come from the arguments (field=value, one message), or line by line from a file or standard input.",
    'A line of NDJSON is an object of fields, {"order":"A-17","cents":1999}; numbers, true and false become text. From a line that consume, tail or peek has printed, the "fields" are taken. With --json-field the line is written unchanged into one field, as jsonCodec does.',
    "A line that cannot be read ends the command and reports the line number. That line is not sent; the lines before it are. --skip-invalid continues instead. --dry-run checks everything first and sends nothing.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key; created by the first message" },
    { name: "field=value", about: "the fields of one message", optional: true, many: true },
  ],
  options: {
    file: { kind: "text", value: "path", about: "file to read; - is standard input" },
    format: {
      kind: "choice",
      choices: ["ndjson", "pairs"],
      default: "ndjson",
      about: 'format of a line: a JSON object, or field=value field="other value"',
    },
    "json-field": { kind: "text", value: "name", about: "write each line (any JSON) into this one field" },
    "from-line": {
      kind: "number",
      value: "n",
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      default: 1,
      about: "start at this line, to continue after an error",
    },
    rate: { kind: "number", value: "n", min: 1, max: 1_000_000, about: "maximum messages per second" },
    "idempotency-field": {
      kind: "text",
      value: "name",
      about: "field that identifies a message: it is added once, even if the command is repeated within an hour",
    },
    partitions: flagOf(PRODUCER_SPEC.partitions, {
      about: "how many partitions the stream has; default: what is written down beside it, or none",
    }),
    key: {
      kind: "text",
      value: "text",
      about: "key of every message given: says which partition it goes to, and is written as the field `key`",
    },
    "key-field": {
      kind: "text",
      value: "name",
      about: "field that says which partition a message goes to, and is written as its key",
    },
    "wait-for-replicas": flagOf(PRODUCER_SPEC.waitForReplicas.options.count),
    "replica-timeout": flagOf(PRODUCER_SPEC.waitForReplicas.options.timeoutMs),
    "skip-invalid": { kind: "flag", about: "skip lines that cannot be read, report them, and exit with 2" },
    "dry-run": { kind: "flag", about: "read and check everything, but send nothing" },
  },
  examples: [
    { line: "redis-batch produce orders order=A-17 cents=1999", does: "one message" },
    { line: "redis-batch produce orders --key customer-7 order=A-17", does: "in the partition of this customer" },
    { line: "redis-batch produce orders --file orders.ndjson --dry-run", does: "check every line" },
    {
      line: "redis-batch produce orders --file orders.ndjson --rate 500 --idempotency-field order",
      does: "500 a second, and safe to repeat",
    },
    {
      line: "redis-batch tail orders -n 1000 --json | redis-batch produce copy --context staging",
      does: "copy the last thousand messages to another server",
    },
    {
      line: "redis-batch produce payments --file payments.ndjson --idempotency-field payment --wait-for-replicas 2",
      does: "confirm each only when two replicas have it",
    },
  ],
  connects: true,
  drains: true,
});
