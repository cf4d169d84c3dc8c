import { defineCommand } from "../command-line/spec.ts";

export const produce = defineCommand({
  path: ["produce"],
  summary: "Add messages to a stream",
  about: [
    "Messages come from the arguments (field=value, one message), or line by line from a file or standard input.",
    'A line of NDJSON is an object of fields, {"order":"A-17","cents":1999}: text, numbers, and true or false become text. A line as consume, tail and peek print it is taken for its "fields". With --json-field the line is written as it is, into one field, as jsonCodec does.',
    "What cannot be read ends the command, with its line number, and nothing of that line is sent; what came before it is. --skip-invalid goes on instead; --dry-run looks at everything first and sends nothing.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key; created by the first message" },
    { name: "field=value", about: "the fields of one message", optional: true, many: true },
  ],
  options: {
    file: { kind: "text", value: "path", about: "read from this file; - is standard input" },
    format: {
      kind: "choice",
      choices: ["ndjson", "pairs"],
      default: "ndjson",
      about: 'what a line is: a JSON object, or field=value field="other value"',
    },
    "json-field": { kind: "text", value: "name", about: "write each line, any JSON, into this one field" },
    "from-line": {
      kind: "number",
      value: "n",
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      default: 1,
      about: "begin at this line, to go on after an error",
    },
    rate: { kind: "number", value: "n", min: 1, max: 1_000_000, about: "at most so many messages a second" },
    "key-field": {
      kind: "text",
      value: "name",
      about: "this field names the message: added once, however often the command is repeated within an hour",
    },
    "skip-invalid": { kind: "flag", about: "leave out lines that cannot be read, tell of them, and end with 2" },
    "dry-run": { kind: "flag", about: "read and check everything, send nothing" },
  },
  examples: [
    { line: "redis-batch produce orders order=A-17 cents=1999", does: "one message" },
    { line: "redis-batch produce orders --file orders.ndjson --dry-run", does: "is every line all right?" },
    {
      line: "redis-batch produce orders --file orders.ndjson --rate 500 --key-field order",
      does: "500 a second, and safe to repeat",
    },
    {
      line: "redis-batch tail orders -n 1000 --json | redis-batch produce copy --context staging",
      does: "the last thousand messages, to another server",
    },
  ],
  connects: true,
  drains: true,
});
