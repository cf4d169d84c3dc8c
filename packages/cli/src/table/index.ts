/** Every command, in the order of the help. */
import { consume } from "./consume.ts";
import { entry, type TableEntry } from "./entry.ts";
import { produce } from "./produce.ts";

export const COMMANDS: readonly TableEntry[] = [
  entry(produce, () => import("../commands/produce.ts")),
  entry(consume, () => import("../commands/consume.ts")),
];
