/** Loads the package as an application does, by what its argument names, and prints which of Node's own modules are in. */
import { createRequire } from "node:module";

const NAME = "@redis-batch/consumer";

if (process.argv[2] === "require") createRequire(import.meta.url)(NAME);
else await import(NAME);
console.log(JSON.stringify(Reflect.get(process, "moduleLoadList")));
