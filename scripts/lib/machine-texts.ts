import { spawnSync } from "node:child_process";
import { folderOfThisMachine, HOME_FOLDERS, type MachineText } from "./file-rules.ts";
import { ROOT } from "./root.mjs";

/** What names this machine: its home folders, the folder of the checkout, the host of its registry, also where that is the public one. */
export function machineTexts(): readonly MachineText[] {
  const registry = spawnSync("npm", ["config", "get", "registry"], { cwd: ROOT, encoding: "utf8" }).stdout.trim();
  const host = URL.parse(registry)?.host;
  return [
    HOME_FOLDERS,
    ...folderOfThisMachine("the checkout's folder", ROOT),
    ...(host === undefined ? [] : [{ what: "this machine's registry", text: new RegExp(RegExp.escape(host)) }]),
  ];
}
