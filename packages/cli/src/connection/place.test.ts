import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Failure } from "../failure.ts";
import { parseContexts, type SavedContext } from "./contexts.ts";
import { decidePlace, parseAddresses, urlOf, withoutPassword } from "./place.ts";

const NOTHING = {
  url: undefined,
  context: undefined,
  user: undefined,
  "password-file": undefined,
  "ask-password": false,
  sentinel: undefined,
  "sentinel-name": undefined,
  cluster: false,
  "tls-ca": undefined,
  "tls-cert": undefined,
  "tls-key": undefined,
};
const saved = { name: "prod", url: "rediss://saved", user: "app", passwordEnv: "APP" };

// Every key there is, by the type.
const SAVED_KEYS: Readonly<Record<Exclude<keyof SavedContext, "name">, true>> = {
  ...{ url: true, user: true, passwordFile: true, passwordEnv: true, askPassword: true, sentinel: true },
  ...{ sentinelName: true, cluster: true, tlsCa: true, tlsCert: true, tlsKey: true },
};

describe("decidePlace", () => {
  test("takes the command line before the context, that before the environment, and that before the default", () => {
    const env = { REDIS_URL: "redis://env" };
    expect(decidePlace({ ...NOTHING, url: "redis://given" }, env, saved)).toMatchObject({
      url: "redis://given",
      from: "the command line",
      user: undefined,
    });
    expect(decidePlace(NOTHING, env, saved)).toMatchObject({
      url: "rediss://saved",
      user: "app",
      from: 'the context "prod"',
    });
    expect(decidePlace(NOTHING, env, undefined)).toMatchObject({ url: "redis://env", from: "REDIS_URL" });
    expect(decidePlace(NOTHING, { REDIS_URL: "" }, undefined)).toMatchObject({ url: "redis://localhost:6379" });
  });

  test("takes a password from where it was said, and never from two places", () => {
    const env = { REDIS_PASSWORD: "pw", REDISCLI_AUTH: "older" };
    expect(decidePlace(NOTHING, env, saved).password).toEqual({ kind: "env", name: "APP" });
    expect(decidePlace({ ...NOTHING, "ask-password": true }, env, saved).password).toEqual({ kind: "ask" });
    expect(decidePlace(NOTHING, env, undefined).password).toEqual({ kind: "text", password: "pw" });
    expect(decidePlace(NOTHING, { REDISCLI_AUTH: "older" }, undefined).password).toEqual({
      kind: "text",
      password: "older",
    });
    expect(() => decidePlace({ ...NOTHING, "ask-password": true, "password-file": "f" }, {}, undefined)).toThrow(
      Failure,
    );
  });

  test.each([
    "redis://u:hunter2@h",
    "redis+cluster://:hunter2@h1:1,h2:2",
    "redis+sentinel://h1,h2/m?sentinelPassword=hunter2",
    "unix://u:hunter2@/tmp/a.sock",
  ])("refuses a URL with a password, and quotes nothing of it (%s)", (url) => {
    expect(() => decidePlace({ ...NOTHING, url }, {}, undefined)).toThrow(/process list/);
    expect(() => decidePlace({ ...NOTHING, url }, {}, undefined)).not.toThrow(/hunter2/);
    expect(withoutPassword(url)).toBe(url.replace("hunter2", "***"));
  });

  test.each([
    [{ url: "redis+cluster://a,b" }, "redis+cluster://a,b"],
    [{ url: "redis://a:1,b:2", cluster: true }, "redis+cluster://a:1,b:2"],
    [{ url: "redis+sentinel://a/m", "tls-ca": "ca.pem" }, "rediss+sentinel://a/m"],
    [{ url: "redis://a", "tls-ca": "ca.pem" }, "rediss://a"],
    [{ url: "unix:///a.sock", "tls-ca": "ca.pem" }, "unix:///a.sock"],
    [{ sentinel: "a, [::1]:1", "sentinel-name": "my/master" }, "redis+sentinel://a:26379,[::1]:1/my%2Fmaster"],
  ])("%j is one URL", (options, url) => {
    expect(urlOf(decidePlace({ ...NOTHING, ...options }, {}, undefined))).toBe(url);
  });
});

test("addresses of Sentinels may be names, numbers or IPv6, with a port or without", () => {
  expect(parseAddresses("a, 10.0.0.1:1,[::1]:26380")).toEqual([
    { host: "a", port: 26_379 },
    { host: "10.0.0.1", port: 1 },
    { host: "::1", port: 26_380 },
  ]);
  for (const text of ["", "a,,b", "a:x", "a:99999"]) expect(() => parseAddresses(text)).toThrow(Failure);
});

test("a file of contexts that is wrong names every problem, and quotes nothing", () => {
  expect(parseContexts('{"version":1,"current":"a","contexts":{"a":{"url":"redis://h","cluster":true}}}')).toEqual({
    current: "a",
    all: new Map([["a", { name: "a", url: "redis://h", cluster: true }]]),
  });
  expect(() => parseContexts('{"version":2,"contexts":{"a":{"url":7},"b":{"clustr":true}}}')).toThrow(
    /version must be 1.*url must be a non-empty text.*did you mean "cluster"/s,
  );
  expect(() => parseContexts("hunter2")).toThrow(/not JSON/);
  expect(() => parseContexts("[]")).toThrow(/version/);
});

test("the schema of the file knows what the program reads, and no more", () => {
  const schema = JSON.parse(readFileSync(new URL("../../config.schema.json", import.meta.url), "utf8")) as {
    readonly properties: {
      readonly contexts: {
        readonly additionalProperties: { readonly properties: Readonly<Record<string, { readonly type: string }>> };
      };
    };
  };
  const known = schema.properties.contexts.additionalProperties.properties;
  const context = Object.fromEntries(
    Object.entries(known).map(([name, { type }]) => [name, type === "boolean" ? true : "text"]),
  );
  const text = JSON.stringify({ $schema: "x", version: 1, current: "a", contexts: { a: context } });
  expect(parseContexts(text).all.get("a")).toEqual({ name: "a", ...context });
  expect(Object.keys(known).toSorted()).toEqual(Object.keys(SAVED_KEYS).toSorted());
});
