import { describe, expect, test } from "vitest";
import { fieldsCodec, rawCodec } from "./codec.ts";

const raw = (...parts: (string | Uint8Array)[]): Buffer[] => parts.map((part) => Buffer.from(part as string));

describe("fieldsCodec reads", () => {
  test("a plain XADD of another client as text", () => {
    expect({ ...fieldsCodec.decode(raw("name", "Zoë", "age", "41")) }).toEqual({ name: "Zoë", age: "41" });
  });

  test("the last of several values with one name", () => {
    expect({ ...fieldsCodec.decode(raw("a", "1", "b", "2", "a", "3")) }).toEqual({ a: "3", b: "2" });
  });

  test("into a record without a prototype, so that no name is special", () => {
    const fields = fieldsCodec.decode(raw("__proto__", "x", "toString", "y"));
    expect(Object.getPrototypeOf(fields)).toBeNull();
    expect(Object.entries(fields)).toEqual([
      ["__proto__", "x"],
      ["toString", "y"],
    ]);
    expect(fields["constructor"]).toBeUndefined();
  });

  test("bytes that are not UTF-8 as replacement characters", () => {
    expect(fieldsCodec.decode(raw("a", Uint8Array.of(0x41, 0xff)))["a"]).toBe("A\uFFFD");
  });
});

test("rawCodec gives every pair as it is, duplicates included", () => {
  const fields = raw("a", Uint8Array.of(0xff), "a", "2");
  expect(rawCodec.decode(fields)).toEqual([
    [fields[0], fields[1]],
    [fields[2], fields[3]],
  ]);
});
