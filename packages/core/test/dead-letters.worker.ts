/** Lists, loops over, redrives and discards a hundred thousand dead letters, and says how much memory that took. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DeadLetters } from "../src/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const [, , redis = "", stream = "", group = ""] = process.argv;
await using deadLetters = new DeadLetters({ redis, stream, group });

let mostBytes = 0;
let measured = 0;
/** Now and then, what is in use beyond what was in use at the start. */
const measure = (): void => {
  if (measured++ % 50 > 0) return;
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  mostBytes = Math.max(mostBytes, heapUsed + external - startBytes);
};
collectGarbage();
const startBytes = process.memoryUsage().heapUsed + process.memoryUsage().external;

let listed = 0;
for (let next: string | null = "0-0"; next !== null; ) {
  const page = await deadLetters.list({ from: next });
  listed += page.letters.length;
  next = page.next;
  measure();
}
let looped = 0;
for await (const letter of deadLetters) {
  looped += letter.fields["text"]?.length === 400 ? 1 : 0;
  if (looped % 100 === 0) measure();
}
const { redriven } = await deadLetters.redrive({
  ...{ filter: ({ fields }) => Number(fields["n"]) % 10 === 3, limit: 10_000, onProgress: measure },
});
const discarded = await deadLetters.discard({ filter: "all", limit: 100_000, onProgress: measure });
console.log(JSON.stringify({ listed, looped, redriven, discarded, left: await deadLetters.count(), mostBytes }));
