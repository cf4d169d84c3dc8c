import { main } from "./main.ts";

const code = await main(process.argv.slice(2));
// Standard output has been awaited; a timer of a connection that was given up must not keep the program for seconds.
process.stderr.write("", () => process.exit(code));
