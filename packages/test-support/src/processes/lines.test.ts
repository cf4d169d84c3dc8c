import { expect, test } from "vitest";
import { LineSplitter } from "./lines.ts";

test("gives each line once it is complete, wherever the text is cut", () => {
  const splitter = new LineSplitter();
  expect(splitter.push("rea")).toEqual([]);
  expect(splitter.push("dy\nbatch 1\r\nba")).toEqual(["ready", "batch 1"]);
  expect(splitter.push("tch 2\n")).toEqual(["batch 2"]);
  expect(splitter.finish()).toEqual([]);
});

test("gives an unfinished last line at the end", () => {
  const splitter = new LineSplitter();
  splitter.push("done\nby");
  expect(splitter.finish()).toEqual(["by"]);
  expect(splitter.finish()).toEqual([]);
});
