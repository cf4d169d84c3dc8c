import { library } from "../../scripts/lib/library.ts";

export default library(["index"]);
