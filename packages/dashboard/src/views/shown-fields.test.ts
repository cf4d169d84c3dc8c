import { describe, expect, it } from "vitest";
import { showFields, textOfBytes } from "./shown-fields.ts";

const bytes = (...values: (string | Buffer)[]): Buffer[] => values.map((value) => Buffer.from(value));

describe("a hidden field", () => {
  it.each([[["email"]], [["*"]]])("by %j leaves the server only as its size", (mask) => {
    const [field] = showFields(bytes("Email", "ada@example.com"), mask);
    expect(field).toEqual({ name: "Email", value: null, bytes: 15, isCut: false });
  });

  it("is not one that only begins alike", () => {
    expect(showFields(bytes("emails", "x"), ["email"])[0]?.value).toBe("x");
    expect(showFields(bytes("e".repeat(300), "x"), ["e".repeat(300)])[0]?.value).toBe(null);
  });
});

describe("a value", () => {
  it("is text if it is UTF-8, and cut at a character", () => {
    expect(textOfBytes(Buffer.from("grün"), 100)).toBe("grün");
    expect(textOfBytes(Buffer.from("aé".repeat(10)), 4)).toBe("aéa");
  });

  it("is written out where it is not", () => {
    expect(textOfBytes(Buffer.from([0x61, 0xff, 0x00]), 100)).toBe("a\\xff\0");
  });

  it("says that it was cut", () => {
    expect(showFields(bytes("a", "x".repeat(5_000)), [])[0]).toMatchObject({ bytes: 5_000, isCut: true });
  });
});
