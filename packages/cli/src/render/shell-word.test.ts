import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "./shell-word.ts";

test.each(["orders", "a:b/{c}", "", "it's", "$(reboot)`x`", "-n", 'a b\n"c"\\', "*", "~", "ü"])(
  "a shell reads %j as it is",
  (word) => {
    const read = execFileSync("sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" });
    expect(read).toBe(word);
  },
);

test("leaves a plain word plain", () => {
  expect(["orders", "a:b", "1-0", "-n", "a b"].map(shellWord)).toEqual(["orders", "a:b", "1-0", "'-n'", "'a b'"]);
});
