// Prints what it was given, then repeats its input line by line.
import { createInterface } from "node:readline";

// A type, so that plain JavaScript could not run this.
const given: { args: string[]; env: string | undefined; node: string } = {
  args: process.argv.slice(2),
  env: process.env["ECHO_TEST"],
  node: process.versions.node,
};
console.log(JSON.stringify(given));
console.error("to the error output");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "fail") process.exit(3);
  console.log(line);
}
