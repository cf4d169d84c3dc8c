import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageFolders } from "./package-folders.mjs";
import { ROOT } from "./root.mjs";

it("lists the folders that pnpm-workspace.yaml does", () => {
  const list =
    /^packages:\n((?: {2}- .+\n)+)/m.exec(readFileSync(join(ROOT, "pnpm-workspace.yaml"), "utf8"))?.[1] ?? "";
  const patterns = list.split("\n").flatMap((line) => /- (.+)/.exec(line)?.[1] ?? []);
  const manifests = globSync(
    patterns.map((pattern) => `${pattern}/package.json`),
    { cwd: ROOT },
  );
  expect(packageFolders(ROOT).toSorted()).toEqual(
    [".", ...manifests.map((file) => file.slice(0, -"/package.json".length))].toSorted(),
  );
});
