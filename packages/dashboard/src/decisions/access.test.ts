import { describe, expect, it } from "vitest";
import { type AccessPolicy, ANYONE, decideAccess, isLoopback, type RequestFacts } from "./access.ts";

const facts = (more: Partial<RequestFacts> = {}): RequestFacts => ({
  ...{ kind: "data", host: "localhost:9473", origin: undefined, site: "same-origin", signedIn: null },
  ...{ hasBearer: false, userHeader: undefined, ...more },
});
const policy = (more: Partial<AccessPolicy> = {}): AccessPolicy => ({
  ...{ hosts: [], how: "anyone", allowActions: false, operators: undefined, ...more },
});
const ACT = { kind: "act", origin: "http://localhost:9473" } as const;

describe("the host", () => {
  it.each(["localhost", "localhost:9473", "127.0.0.1:80", "[::1]:9473", "LOCALHOST"])("%s is this machine", (host) => {
    expect(decideAccess(facts({ host }), policy())).toMatchObject({ kind: "allowed", user: ANYONE, mayAct: false });
  });

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "",
    "a b",
    "localhost:9473/x",
    undefined,
  ])("%s is refused, whatever is asked for", (host) => {
    for (const kind of ["page", "data", "act"] as const) {
      expect(decideAccess(facts({ host, kind }), policy())).toMatchObject({ kind: "refused", status: 403 });
    }
  });

  it("is allowed if it is named", () => {
    const named = policy({ hosts: ["ops.example.com"], how: "tokens" });
    expect(decideAccess(facts({ host: "OPS.example.com", signedIn: "ada" }), named)).toMatchObject({ kind: "allowed" });
  });
});

describe("another site", () => {
  it.each(["cross-site", "same-site", "anything"])("is refused by Sec-Fetch-Site: %s", (site) => {
    expect(decideAccess(facts({ site }), policy())).toMatchObject({ kind: "refused", status: 403 });
  });

  it.each(["http://evil.example", "null", "http://localhost:1", "localhost:9473"])(
    "is refused by Origin: %s",
    (origin) => {
      expect(decideAccess(facts({ site: undefined, origin }), policy())).toMatchObject({
        kind: "refused",
        status: 403,
      });
      const acting = facts({ ...ACT, origin, site: undefined });
      expect(decideAccess(acting, policy({ allowActions: true }))).toMatchObject({ kind: "refused", status: 403 });
    },
  );

  it("may not act by leaving Origin out, unless the token itself is in the request", () => {
    const open = policy({ allowActions: true, how: "tokens" });
    const silent = facts({ kind: "act", origin: undefined, site: undefined, signedIn: "ada" });
    expect(decideAccess(silent, open)).toMatchObject({ kind: "refused", status: 403 });
    expect(decideAccess({ ...silent, hasBearer: true }, open)).toMatchObject({ kind: "allowed", mayAct: true });
  });
});

describe("who", () => {
  it("has to sign in where there are tokens", () => {
    expect(decideAccess(facts(), policy({ how: "tokens" }))).toMatchObject({ kind: "refused", status: 401 });
    expect(decideAccess(facts({ signedIn: "ada" }), policy({ how: "tokens" }))).toMatchObject({ user: "ada" });
  });

  it("is named by the trusted header, and by nothing else", () => {
    const behind = policy({ how: "header" });
    expect(decideAccess(facts({ userHeader: " ada " }), behind)).toMatchObject({ user: "ada" });
    expect(decideAccess(facts({ signedIn: "eve" }), behind)).toMatchObject({ kind: "refused", status: 401 });
    expect(decideAccess(facts({ userHeader: " " }), behind)).toMatchObject({ kind: "refused", status: 401 });
  });

  it("may act only if actions are allowed, and to this user", () => {
    const acting = facts({ ...ACT, signedIn: "ada" });
    expect(decideAccess(acting, policy({ how: "tokens" }))).toMatchObject({ kind: "refused", status: 403 });
    const some = policy({ how: "tokens", allowActions: true, operators: ["bob"] });
    expect(decideAccess(acting, some)).toMatchObject({ kind: "refused", status: 403 });
    expect(decideAccess({ ...acting, signedIn: "bob" }, some)).toMatchObject({ kind: "allowed", mayAct: true });
    expect(decideAccess(facts({ signedIn: "ada" }), some)).toMatchObject({ kind: "allowed", mayAct: false });
  });
});

it("knows the addresses of this machine", () => {
  expect(["127.0.0.1", "127.1.2.3", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "127.0.0.1.x"].some(isLoopback)).toBe(false);
});
