import { describe, expect, it } from "vitest";
import { encodeLuaModule, includeFragments, scriptName, shortenLua } from "./lua-module.ts";

describe("encodeLuaModule", () => {
  it("exports the scripts under their camelCase names, sorted by file", () => {
    const text = encodeLuaModule([
      { file: "renew-owned.lua", text: "return 2\n" },
      { file: "ack-owned.lua", text: 'return "1"\n' },
    ]);
    expect(text).toContain(
      'export const SCRIPTS = {\n  ackOwned: "return \\"1\\"",\n  renewOwned: "return 2",\n} as const;\n',
    );
  });

  it("does not depend on the order in which the files were found", () => {
    const a = { file: "a.lua", text: "return 1" };
    const b = { file: "b.lua", text: "return 2" };
    expect(encodeLuaModule([a, b])).toBe(encodeLuaModule([b, a]));
  });

  it("writes an empty object when there are no scripts", () => {
    expect(encodeLuaModule([])).toContain("export const SCRIPTS = {\n} as const;\n");
  });

  it("refuses two files that come to one name", () => {
    const files = ["ack-owned.lua", "ackOwned.lua"].map((file) => ({ file, text: "" }));
    expect(() => encodeLuaModule(files)).toThrow("another file is also called ackOwned");
  });
});

describe("includeFragments", () => {
  const fragments = new Map([
    ["owned.include.lua", "-- Whose it is.\nlocal function owner(id)\n  return id\nend\n"],
    ["bad.include.lua", "return 1 -- one"],
  ]);

  it("folds the fragment into the line that asks for it", () => {
    const text = includeFragments("x.lua", "-- Purpose.\n-- @include owned\nreturn owner(1)", fragments);
    expect(text).toBe("-- Purpose.\nlocal function owner(id) return id end\nreturn owner(1)");
  });

  it("refuses a fragment that is not there", () => {
    expect(() => includeFragments("x.lua", "-- @include other", fragments)).toThrow("no other.include.lua");
  });

  it("refuses a comment that would swallow what follows it", () => {
    expect(() => includeFragments("x.lua", "-- @include bad", fragments)).toThrow("a line of its own");
  });
});

describe("scriptName", () => {
  it.each([
    ["move-to-dead-letters.lua", "moveToDeadLetters"],
    ["delete-if-all-groups-done.lua", "deleteIfAllGroupsDone"],
    ["handOver.lua", "handOver"],
  ])("%s is %s", (file, name) => {
    expect(scriptName(file)).toBe(name);
  });

  it("refuses a name that is not an identifier", () => {
    expect(() => scriptName("2nd try.lua")).toThrow("not a camelCase name");
  });
});

describe("shortenLua", () => {
  it("keeps the shebang first and every statement on its line", () => {
    const text = "#!lua flags=allow-oom\n-- Purpose.\n\nlocal n = 1 -- kept\n  -- why\nreturn n\n";
    expect(shortenLua("x.lua", text)).toBe("#!lua flags=allow-oom\n\n\nlocal n = 1 -- kept\n\nreturn n");
  });

  it("refuses long brackets, within which a comment cannot be told from text", () => {
    expect(() => shortenLua("x.lua", "--[[ header\n]]\nreturn 1")).toThrow("long brackets");
    expect(() => shortenLua("x.lua", "return [==[\n-- text\n]==]")).toThrow("long brackets");
  });
});
