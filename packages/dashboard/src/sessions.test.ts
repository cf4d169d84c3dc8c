import { describe, expect, it } from "vitest";
import { Sessions } from "./sessions.ts";

const NOW = 1_700_000_000_000;
const ADA = "ada-has-a-long-token";

describe("a session", () => {
  const sessions = new Sessions(
    new Map([
      ["ada", ADA],
      ["bøb", "bob-has-a-long-token"],
    ]),
  );

  it("is known by its cookie until it is too old", () => {
    for (const name of ["ada", "bøb"]) {
      const { value, maxAgeSeconds } = sessions.open(name, NOW);
      expect(sessions.read(value, NOW)).toBe(name);
      expect(sessions.read(value, NOW + maxAgeSeconds * 1_000 - 1)).toBe(name);
      expect(sessions.read(value, NOW + maxAgeSeconds * 1_000)).toBe(null);
    }
  });

  it("is refused if anything of it was changed", () => {
    const { value } = sessions.open("ada", NOW);
    const [name = "", until = "", signature = ""] = value.split(".");
    const other = Buffer.from("bøb").toString("base64url");
    for (const changed of [
      `${other}.${until}.${signature}`,
      `${name}.${Number(until) + 1}.${signature}`,
      `${name}.${until}.${signature.slice(1)}`,
      `${name}.${until}.`,
      "",
      "x".repeat(10_000),
    ]) {
      expect(sessions.read(changed, NOW)).toBe(null);
    }
  });

  it("ends when its token is changed, and holds in another process with the same one", () => {
    const { value } = sessions.open("ada", NOW);
    expect(new Sessions(new Map([["ada", "another-long-token-of-hers"]])).read(value, NOW)).toBe(null);
    expect(new Sessions(new Map([["ada", ADA]])).read(value, NOW)).toBe("ada");
  });

  it("says nothing of its token", () => {
    expect(Buffer.from(sessions.open("ada", NOW).value, "base64").toString("latin1")).not.toContain(ADA);
  });
});

it("knows whose a token is", () => {
  const sessions = new Sessions(new Map([["ada", ADA]]));
  expect([sessions.whose(ADA), sessions.whose(`${ADA} `), sessions.whose("")]).toEqual(["ada", null, null]);
});
