import { describe, expect, test } from "vitest";
import { decodeReply, encodeCommand, ReplyError } from "./resp.ts";

const decode = (text: string) => decodeReply(Buffer.from(text));

describe("a command", () => {
  test("goes out as an array of bulk strings, measured in bytes", () => {
    expect(encodeCommand(["SET", "ключ", 12]).toString()).toBe("*3\r\n$3\r\nSET\r\n$8\r\nключ\r\n$2\r\n12\r\n");
  });

  test("carries any bytes", () => {
    const bytes = Uint8Array.of(0, 255, 13, 10);
    expect(encodeCommand([bytes])).toEqual(Buffer.concat([Buffer.from("*1\r\n$4\r\n"), bytes, Buffer.from("\r\n")]));
  });
});

describe("a reply", () => {
  test.each([
    ["+OK\r\n", "OK"],
    [":42\r\n", 42],
    [":-1\r\n", -1],
    [":9223372036854775807\r\n", 9223372036854775807n],
    ["$5\r\nhello\r\n", "hello"],
    ["$0\r\n\r\n", ""],
    ["$7\r\na\r\nb\r\nc\r\n", "a\r\nb\r\nc"],
    ["$-1\r\n", null],
    ["*-1\r\n", null],
    ["*0\r\n", []],
    ["*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n$-1\r\n", [1, ["a", []], null]],
  ])("%j is read whole", (text, reply) => {
    expect(decode(text)).toEqual({ reply, end: Buffer.byteLength(text) });
  });

  test("that is an error keeps its code, at the top and inside an array", () => {
    const top = decode("-WRONGTYPE Operation against a key\r\n")?.reply;
    expect(top).toBeInstanceOf(ReplyError);
    expect(top).toMatchObject({ code: "WRONGTYPE", message: "WRONGTYPE Operation against a key" });
    expect(decode("*1\r\n-ERR no\r\n")?.reply).toEqual([new ReplyError("ERR no")]);
  });

  test("is not read before its last byte is there", () => {
    const text = "*2\r\n$3\r\nabc\r\n*1\r\n:7\r\n";
    for (let length = 0; length < text.length; length += 1) expect(decode(text.slice(0, length))).toBeUndefined();
    expect(decode(text)?.reply).toEqual(["abc", [7]]);
  });

  test("ends where the next one begins", () => {
    const first = decode("+OK\r\n:1\r\n");
    expect(first?.end).toBe(5);
    expect(decodeReply(Buffer.from("+OK\r\n:1\r\n"), first?.end)?.reply).toBe(1);
  });

  test("of another protocol is refused", () => {
    expect(() => decode("HTTP/1.1 400 Bad Request\r\n")).toThrow(/not a RESP2 reply.*HTTP/);
  });
});
