// Prints the READMEs with the tables of options as they must be, as JSON: `{ "path": "content" }`. Needs the condition of
// the sources.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fillOptionTables } from "./lib/option-tables.ts";
import { ROOT } from "./lib/root.mjs";
import { SPECS } from "./lib/specs.ts";

const paths = Object.keys(SPECS).map((name) => `packages/${name}/README.md`);
const pages = paths.map((path) => [path, fillOptionTables(readFileSync(join(ROOT, path), "utf8"), SPECS)]);
console.log(JSON.stringify(Object.fromEntries(pages)));
