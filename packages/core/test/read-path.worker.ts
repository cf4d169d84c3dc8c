/** Scans large replies, keeps something small of each, and says how many bytes that keeps alive. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { StreamEntry } from "../src/wire/entry.ts";
import { PackedEntry } from "../src/wire/packed-entry.ts";
import { ReplyScanner } from "../src/wire/reply-scanner.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const REPLIES = 50;
const ENTRIES = 8_000;
const CHUNK_BYTES = 65_536;

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const value = "x".repeat(150);
const body = Array.from(
  { length: ENTRIES },
  (_, n) =>
    `*2\r\n${bulk(`1763900000000-${n}`)}*4\r\n${bulk("order")}${bulk(`order-${n}`)}${bulk("note")}${bulk(value)}`,
).join("");
const reply = Buffer.from(`*1\r\n*2\r\n${bulk("orders")}*${ENTRIES}\r\n${body}`);

/** One entry out of a reply that came as a socket brings it: in chunks that are memory of their own. */
function readOne(place: number): PackedEntry {
  let taken: readonly StreamEntry[] = [];
  const scanner = new ReplyScanner({
    pass: () => {
      throw new Error("the reply was not taken");
    },
    take: ([read]) => {
      taken = read?.entries ?? [];
    },
  });
  for (let at = 0; at < reply.length; at += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, reply.length - at);
    const chunk = Buffer.from(new ArrayBuffer(length));
    reply.copy(chunk, 0, at);
    scanner.write(chunk);
  }
  const entry = taken[place];
  if (!(entry instanceof PackedEntry)) throw new Error("there is no such entry");
  return entry;
}

function bytesInUse(): number {
  // What an ArrayBuffer held is released by the collection after the one that found it.
  for (let round = 0; round < 3; round++) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function keptBy(keep: (entry: PackedEntry) => unknown): number {
  const before = bytesInUse();
  const kept = Array.from({ length: REPLIES }, (_, n) => keep(readOne((n * 97) % ENTRIES)));
  const bytes = bytesInUse() - before;
  if (kept.length !== REPLIES) throw new Error("something is missing");
  return bytes;
}

keptBy((entry) => entry.text);
const kept = {
  ids: keptBy(({ id }) => id),
  texts: keptBy(({ text }) => text["order"]),
  buffers: keptBy(({ fields }) => fields[1]),
  entries: keptBy((entry) => entry),
};
process.stdout.write(`${JSON.stringify({ replies: REPLIES, replyBytes: reply.length, kept })}\n`);
