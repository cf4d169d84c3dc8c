import { expect, test } from "vitest";
import { SENT_COMMANDS, type SentCommand } from "../wire/probe-command.ts";
import { diagnoseMissingCommands } from "./missing-commands.ts";

const found = (...missing: readonly SentCommand[]) =>
  diagnoseMissingCommands(new Set(missing)).map(({ severity, finding }) => `${severity}: ${finding}`);

test("where every command is offered there is nothing to say", () => {
  expect(found()).toEqual([]);
  expect(found("script", "xackdel")).toEqual([]);
});

test("commands with one effect are one finding", () => {
  expect(found("zadd", "zrem")).toEqual([
    expect.stringMatching(/^info: ZADD, ZREM are not offered: delays are kept in the memory/) as string,
  ]);
});

test("scripts take the way that is left, and it is a problem where none is", () => {
  expect(found("eval")).toEqual([expect.stringMatching(/^info: EVAL is not offered: .*SCRIPT LOAD/) as string]);
  expect(found("evalsha", "script")).toEqual([
    expect.stringMatching(/^info: EVALSHA is not offered: .*EVAL$/) as string,
  ]);
  for (const other of ["evalsha", "script"] as const) {
    expect(found("eval", other)[0]).toMatch(/^problem: EVAL.* not offered: .*a consumer cannot work/);
  }
});

test("what producers or consumers cannot work without is a problem, the rest a warning", () => {
  expect(found("xclaim")[0]).toMatch(/^problem: XCLAIM is not offered: .*a consumer cannot work/);
  expect(found("xinfo")[0]).toMatch(/^warning: XINFO is not offered: .*a monitor cannot work/);
  expect(found("xtrim")).toEqual(["warning: XTRIM is not offered: a monitor works without trimming"]);
});

test("says of every command what no longer works without it, and what to do", () => {
  for (const name of SENT_COMMANDS) {
    for (const { finding, fix } of diagnoseMissingCommands(new Set([name]))) {
      expect(finding).toMatch(/not offered: .+/);
      expect(fix).toContain(`allow ${name.toUpperCase()}`);
    }
  }
});
