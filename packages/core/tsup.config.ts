import { readdirSync } from "node:fs";
import { library } from "../../scripts/lib/library.ts";

const internal = readdirSync("src/internal").map((file) => `internal/${file.replace(".ts", "")}`);

export default library(["index", ...internal, "web"]);
