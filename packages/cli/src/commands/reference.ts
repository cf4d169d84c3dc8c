import type { Run } from "../command.ts";
import { referencePage } from "../command-line/reference.ts";
import type { reference } from "../table/setup.ts";

export const run: Run<typeof reference> = ({ commands, terminal }) => terminal.write(referencePage(commands));
