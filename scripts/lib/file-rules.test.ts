import { describe, expect, it } from "vitest";
import { folderOfThisMachine, HOME_FOLDERS, lockfileProblems, machineProblems, nameProblems } from "./file-rules.ts";

describe("nameProblems", () => {
  it.each([
    "packages/core/src/types.ts",
    "packages/core/src/wire/utils.ts",
    "packages/cli/src/util.mjs",
    "apps/example-worker/src/helpers.ts",
    "benchmarks/src/common.tsx",
  ])("refuses %s", (file) => {
    expect(nameProblems(file)).toHaveLength(1);
  });

  it.each(["packages/core/src/entry-types.ts", "packages/core/test/types.d.ts", "packages/core/src/types/entry.ts"])(
    "allows %s",
    (file) => {
      expect(nameProblems(file)).toEqual([]);
    },
  );
});

describe("machineProblems", () => {
  const slash = "/";

  it.each([
    `see ${slash}home/ada/redis-batch`,
    `"${slash}Users/ada/x"`,
    `cd ${slash}root/x`,
    `(${slash}home/ada.l/.npmrc)`,
    ["C:", "Users", "ada", "x"].join("\\"),
  ])("finds the home folder in %s", (line) => {
    expect(machineProblems("a.md", line, [HOME_FOLDERS])).toHaveLength(1);
  });

  it.each([
    "$cache/root/usr/lib",
    '"$work"/root/usr/bin',
    "https://example.org/home/page/x",
    "/usr/lib",
    "/home",
    "./home/ada/x",
  ])("leaves %s alone", (line) => {
    expect(machineProblems("a.md", line, [HOME_FOLDERS])).toEqual([]);
  });

  it("names file, line and what it found", () => {
    const texts = [{ what: "the registry", text: /registry\.example/ }];
    expect(machineProblems("a.md", "one\nhttps://registry.example/x", texts)).toEqual([
      "a.md:2: names the registry: https://registry.example/x",
    ]);
  });
});

describe("folderOfThisMachine", () => {
  const texts = folderOfThisMachine("the checkout's folder", "/srv/checkout");

  it("is found where it is whole and absolute", () => {
    expect(machineProblems("a.sh", "cd /srv/checkout/scripts", texts)).toHaveLength(1);
    expect(machineProblems("a.sh", '"cwd": "/srv/checkout"', texts)).toHaveLength(1);
    expect(machineProblems("a.sh", "cd /srv/checkouts; cd $HOME/srv/checkout", texts)).toEqual([]);
  });

  it("is not looked for when it could be anything", () => {
    expect(folderOfThisMachine("the checkout's folder", "/app")).toEqual([]);
  });
});

describe("lockfileProblems", () => {
  it("finds a tarball's address", () => {
    expect(
      lockfileProblems("    resolution: {integrity: sha512-x, tarball: https://registry.example/x.tgz}"),
    ).toHaveLength(1);
  });

  it("is content with integrity hashes", () => {
    expect(lockfileProblems("    resolution: {integrity: sha512-x}")).toEqual([]);
  });
});
