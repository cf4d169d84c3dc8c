import { fileURLToPath } from "node:url";
import { library } from "../../scripts/lib/library.ts";
import { embedPage } from "./embed-page.ts";

export default library(["index"], [embedPage(fileURLToPath(new URL(".cache/page", import.meta.url)))]);
