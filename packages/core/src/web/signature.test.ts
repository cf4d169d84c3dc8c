import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { signBody, verifySignature } from "./signature.ts";

const secret = "a secret of some length";
const body = '{"v":1}';
const nowMs = 1_700_000_000_000;
const signature = signBody(body, secret, 1_700_000_000);

describe("the signature of a webhook", () => {
  it("is HMAC-SHA256 over the seconds, a point and the body", () => {
    const expected = createHmac("sha256", secret).update('1700000000.{"v":1}').digest("hex");
    expect(signature).toBe(`t=1700000000,v1=${expected}`);
    expect(verifySignature({ body, signature, secret, nowMs })).toBe(true);
  });

  it.each([
    ["another body", { body: '{"v":2}' }],
    ["another secret", { secret: "another secret of a length" }],
    ["another time", { signature: signature.replace("t=17", "t=18"), nowMs: 1_800_000_000_000 }],
    ["none", { signature: undefined }],
    ["an empty one", { signature: "" }],
    ["one without a time", { signature: signature.replace(/^t=\d+,/, "") }],
    ["one cut short", { signature: signature.slice(0, -2) }],
    ["one with something after it", { signature: `${signature},v1=00` }],
    ["an old one", { nowMs: nowMs + 300_001 }],
    ["one of the future", { nowMs: nowMs - 300_001 }],
    ["one too old for who asks", { nowMs: nowMs + 10_001, toleranceSeconds: 10 }],
  ])("does not fit %s", (_, changes) => {
    expect(verifySignature({ body, signature, secret, nowMs, ...changes })).toBe(false);
  });

  it("fits up to the tolerance", () => {
    expect(verifySignature({ body, signature, secret, nowMs: nowMs + 300_000 })).toBe(true);
    expect(verifySignature({ body, signature, secret, nowMs: nowMs - 300_000 })).toBe(true);
  });

  it("fits any body and secret it was made for, and no other", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), fc.string(), (text, key, other) => {
        const signed = signBody(text, key, 1_700_000_000);
        expect(verifySignature({ body: text, signature: signed, secret: key, nowMs })).toBe(true);
        expect(verifySignature({ body: `${text}.`, signature: signed, secret: key, nowMs })).toBe(false);
        fc.pre(other !== key);
        expect(verifySignature({ body: text, signature: signed, secret: other, nowMs })).toBe(false);
      }),
    );
  });

  it("takes any text for a signature without failing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(verifySignature({ body, signature: text, secret, nowMs })).toBe(false);
      }),
    );
  });
});
