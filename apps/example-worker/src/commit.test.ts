import { describe, expect, it } from "vitest";
import { parseCommit } from "./commit.ts";

const FIELDS = {
  id: "ed9b544e10b8",
  at: "2009-03-22T10:30:00+01:00",
  subject: "first commit",
  files: "110",
  insertions: "13641",
  deletions: "0",
};

function problemsOf(fields: Readonly<Record<string, string>>): readonly string[] {
  const parsed = parseCommit(fields);
  return parsed.kind === "unreadable" ? parsed.problems : [];
}

describe("parseCommit", () => {
  it("reads a message's fields", () => {
    expect(parseCommit(FIELDS)).toEqual({
      kind: "commit",
      commit: {
        commitId: "ed9b544e10b8",
        committedAt: "2009-03-22T10:30:00+01:00",
        subject: "first commit",
        files: 110,
        insertions: 13_641,
        deletions: 0,
      },
    });
  });

  it("does not mind further fields, or an empty subject", () => {
    expect(parseCommit({ ...FIELDS, subject: "", author: "antirez" }).kind).toBe("commit");
  });

  it("names every field that is missing or wrong, without what is in it", () => {
    const problems = problemsOf({ id: "secret", at: "yesterday", subject: "secret", files: "many", insertions: "-1" });
    expect(problems).toEqual([
      "id must be 7 to 64 hexadecimal digits",
      "at must be a time such as 2009-03-22T10:30:00+01:00",
      "files must be a whole number from 0 to 2147483647",
      "insertions must be a whole number from 0 to 2147483647",
      "deletions is missing",
    ]);
  });

  it.each(["", "1.0", "1e3", " 1", "0x1", "2147483648", "NaN"])("takes no count of %j", (deletions) => {
    expect(problemsOf({ ...FIELDS, deletions })).toHaveLength(1);
  });

  it.each(["2024-02-29T23:59:59Z", "2024-12-31T00:00:00.123456-12:00", "2024-01-01T00:00:00+15:59"])(
    "takes the time %s",
    (at) => {
      expect(problemsOf({ ...FIELDS, at })).toEqual([]);
    },
  );

  it.each([
    "",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-01-01T25:00:00Z",
    "2024-01-01T00:00:00",
    "2024-01-01",
    "0000-01-01T00:00:00Z",
    "1711111111",
    "2024-01-01T00:00:00+16:00",
    "2024-01-01T00:00:00-23:59",
    "2024-12-31T23:59:60Z",
  ])("takes no time of %j", (at) => {
    expect(problemsOf({ ...FIELDS, at })).toHaveLength(1);
  });

  it("takes no NUL character, which PostgreSQL would refuse", () => {
    expect(problemsOf({ ...FIELDS, subject: "first\0commit" })).toEqual([
      "subject must be text without NUL characters",
    ]);
  });
});
