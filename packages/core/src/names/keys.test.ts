import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { bookkeepingKeys, deadLetterKey, groupKey, hashTag, idempotencyKey, isOwnKey } from "./keys.ts";

describe("groupKey", () => {
  test("names the stream's own slot, the kind, the stream and the group", () => {
    expect(groupKey("dead", "orders", "billing")).toBe("rb:{orders}:dead:orders:billing");
    expect(groupKey("consumers", "{shop}:orders", "billing")).toBe("rb:{shop}:consumers:{shop}%3Aorders:billing");
  });

  test("escapes what separates the parts", () => {
    expect(groupKey("audit", "a:b", "c%3A:d")).toBe("rb:{a:b}:audit:a%3Ab:c%253A%3Ad");
  });
});

describe("bookkeepingKeys", () => {
  test("are all of one group's keys but its dead letters, in the stream's slot", () => {
    expect(bookkeepingKeys("{shop}:orders", "billing")).toEqual(
      [
        "consumers",
        "final-reports",
        "due",
        "hung",
        "owner",
        "lease:recovery",
        "lease:monitor",
        "lease:scaler",
        "scaler",
        "audit",
      ].map((kind) => `rb:{shop}:${kind}:{shop}%3Aorders:billing`),
    );
  });
});

describe("idempotencyKey", () => {
  test("belongs to the stream", () => {
    expect(idempotencyKey("orders", "order:17")).toBe("rb:{orders}:idem:orders:order%3A17");
  });
});

describe("isOwnKey", () => {
  test("tells what is kept beside a stream from the streams of others", () => {
    for (const stream of ["orders", "{shop}:orders", "a:b", "a%\nb"]) {
      const own = [...bookkeepingKeys(stream, "g:1"), groupKey("dead", stream, "g"), idempotencyKey(stream, "k")];
      expect([stream, own.filter((key) => !isOwnKey(key))]).toEqual([stream, []]);
      expect(isOwnKey(stream)).toBe(false);
    }
    for (const other of ["rb:orders", "rb:{orders}:mine", "rb:{orders}:dead", "x:rb:{a}:dead:a:g", "rb-bench-1"]) {
      expect([other, isOwnKey(other)]).toEqual([other, false]);
    }
  });
});

describe("hashTag", () => {
  test.each([
    ["orders", "orders"],
    ["{orders}", "orders"],
    ["eu:{orders}:1", "orders"],
    ["{orders}{other}", "orders"],
    ["a}b{c}", "c"],
    ["{a{b}}", "a{b"],
    ["a{b", "a{b"],
    ["{", "{"],
  ])("of %j is %j", (stream, tag) => {
    expect(hashTag(stream)).toBe(tag);
  });

  test.each(["", "}", "a}", "{}", "{}a", "{}{a}", "a}b{"])("of %j cannot be given to a second key", (stream) => {
    expect(() => hashTag(stream)).toThrow(ConfigError);
  });
});

test("the key of a group's dead letters is told, whatever is escaped in it", () => {
  expect(deadLetterKey("shop:orders", "billing")).toBe("rb:{shop:orders}:dead:shop%3Aorders:billing");
  expect(deadLetterKey("{eu}:orders", "100%")).toBe("rb:{eu}:dead:{eu}%3Aorders:100%25");
  expect(() => deadLetterKey("a}b", "g")).toThrow(ConfigError);
});
