import { main } from "./main.ts";

// Not process.exit(): what was written must reach its reader first.
process.exitCode = await main(process.argv.slice(2));
