import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createScratchFolder, removeScratchFolder } from "@redis-batch/test-support";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JournalFollower, readJournal } from "./journal.ts";

let folder: string;
beforeEach(() => void (folder = createScratchFolder()));
afterEach(() => removeScratchFolder(folder));

test("a journal without a file, or without a complete line, has no lines", () => {
  const path = join(folder, "j");
  expect(readJournal(path)).toEqual([]);
  appendFileSync(path, '{"t":1}\n{"t":');
  expect(readJournal(path)).toEqual([{ t: 1 }]);
});

test("a follower reads what is written from then on, each complete line once", () => {
  const path = join(folder, "j");
  appendFileSync(path, '{"t":1}\n');
  const follower = new JournalFollower(path);
  expect(follower.read()).toEqual([]);
  appendFileSync(path, '{"t":2}\n{"t":');
  expect(follower.read()).toEqual([{ t: 2 }]);
  appendFileSync(path, "3}\n");
  expect(follower.read()).toEqual([{ t: 3 }]);
  expect(follower.read()).toEqual([]);
});

test("a follower leaves out the end of a line that was being written when it began", () => {
  const path = join(folder, "j");
  appendFileSync(path, '{"t":');
  const follower = new JournalFollower(path);
  appendFileSync(path, '1}\n{"t":2}\n');
  expect(follower.read()).toEqual([{ t: 2 }]);
});
