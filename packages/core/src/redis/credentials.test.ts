import { ManualClock, ODD_VALUES } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { type CredentialsFunction, createLoginSource } from "./credentials.ts";

const OWN = { username: undefined, password: undefined, tls: undefined };
const SECRET = "hunter2";
const never = new AbortController().signal;

function sourceFor(credentials: unknown, redis: object | string = "redis://h", clock = new ManualClock()) {
  return createLoginSource(redis, credentials as CredentialsFunction, clock);
}

const asked = (credentials: unknown): Promise<unknown> => sourceFor(credentials).server(OWN, never);

describe("what the function returns", () => {
  test.each([
    [{ password: "p" }, { username: undefined, password: "p" }],
    [
      { username: "u", password: "p" },
      { username: "u", password: "p" },
    ],
    [{ username: "u" }, { username: "u", password: undefined }],
    [
      { username: null, password: "p", expires: 1 },
      { username: undefined, password: "p" },
    ],
    [{ tls: { cert: "c" } }, { tls: { cert: "c" } }],
  ])("is used, at once or as a promise: %j", async (answer, login) => {
    expect(await asked(() => answer)).toMatchObject(login);
    expect(await asked(async () => answer)).toMatchObject(login);
  });

  test("adds to what the source says, and comes before it", async () => {
    const source = { username: "own", password: "old", tls: { servername: "h", ca: "old" } };
    const logins = sourceFor(() => ({ password: "new", tls: { ca: "new" } }), source);
    expect(await logins.server(OWN, never)).toEqual({
      ...{ username: "own", password: "new", tls: { servername: "h", ca: "new" } },
    });
  });

  test("has a part for the Sentinels, which the server is never told", async () => {
    const logins = sourceFor(() => ({ password: "p", sentinel: { password: "s" } }), { sentinelUsername: "watch" });
    expect(await logins.sentinel(OWN, never)).toMatchObject({ username: "watch", password: "s" });
    expect(await logins.server(OWN, never)).toMatchObject({ username: undefined, password: "p" });
  });

  test.each<readonly [string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text", SECRET],
    ["a number", 42],
    ["a list", [SECRET]],
    ["an empty object", {}],
    ["an empty password", { username: "u", password: "" }],
    ["a password that is a number", { password: 42 }],
    ["a password that is a Buffer", { password: Buffer.from(SECRET) }],
    ["a user that is an object", { username: { SECRET }, password: SECRET }],
    ["certificates that are text", { tls: SECRET }],
    ["Sentinels that are text", { sentinel: SECRET }],
    ["an empty password of the Sentinels", { password: SECRET, sentinel: { password: "" } }],
    [
      "an object that cannot be read",
      {
        get password(): string {
          throw new Error(SECRET);
        },
      },
    ],
    ...ODD_VALUES.filter(([name]) => /proxy/i.test(name)),
  ])("is refused if it is %s, and never quoted", async (_, answer) => {
    for (const credentials of [() => answer, async () => answer]) {
      const error: unknown = await asked(credentials).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "CREDENTIALS", retryable: true });
      expect((error as Error).stack).not.toContain(SECRET);
      expect((error as Error).cause).toBeUndefined();
    }
  });
});

describe("a function that fails", () => {
  const failure = Object.assign(new TypeError(`no such file: ${SECRET}`), { code: "ENOENT" });

  test.each([
    [
      "throws",
      () =>
        Promise.resolve(
          sourceFor(() => {
            throw failure;
          }).server(OWN, never),
        ),
    ],
    ["rejects", () => asked(() => Promise.reject(failure))],
  ])("is reported by the kind of its error, when it %s", async (_, call) => {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "CREDENTIALS",
      message: expect.stringContaining("TypeError ENOENT") as string,
    });
    expect((error as Error).stack).not.toContain(SECRET);
  });

  test.each(ODD_VALUES)("may throw %s", async (_, value) => {
    await expect(asked(() => Promise.reject(value))).rejects.toMatchObject({ code: "CREDENTIALS" });
  });

  test("is asked again by the next connection", async () => {
    let calls = 0;
    const logins = sourceFor(async () => {
      if (++calls === 1) throw failure;
      return { password: "p" };
    });
    await expect(logins.server(OWN, never)).rejects.toMatchObject({ code: "CREDENTIALS" });
    expect(await logins.server(OWN, never)).toMatchObject({ password: "p" });
  });

  test("is given up after 20 seconds when it hangs, and called again", async () => {
    const clock = new ManualClock();
    let calls = 0;
    const hangOnce = () => (++calls === 1 ? new Promise<never>(() => {}) : { password: "p" });
    const logins = sourceFor(hangOnce, "redis://h", clock);
    const first = logins.server(OWN, never).catch((thrown: unknown) => thrown);
    await clock.advance(19_999);
    const second = logins.server(OWN, never).catch((thrown: unknown) => thrown);
    await clock.advance(1);
    expect(await first).toMatchObject({ code: "CREDENTIALS", message: expect.stringContaining("20000 ms") as string });
    expect(calls).toBe(1);
    expect(await logins.server(OWN, never)).toMatchObject({ password: "p" });
    await clock.advance(20_000);
    expect(await second).toMatchObject({ code: "CREDENTIALS" });
    expect(clock.pending).toBe(0);
  });

  test("is not waited for by a connection that is closed", async () => {
    const closed = new AbortController();
    const clock = new ManualClock();
    const waiting = sourceFor(() => new Promise<never>(() => {}), "redis://h", clock).server(OWN, closed.signal);
    closed.abort();
    await expect(waiting).rejects.toThrow(/closed/);
    expect(clock.pending).toBe(0);
  });
});

describe("a call of the function", () => {
  function slow() {
    const answers: ((answer: object) => void)[] = [];
    return { answers, credentials: () => new Promise<object>((resolve) => void answers.push(resolve)) };
  }

  test("is shared by all connections that ask while it runs, of other services as well", async () => {
    const { answers, credentials } = slow();
    const [logins, others] = [sourceFor(credentials), sourceFor(credentials)];
    const waiting = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? logins : others).server(OWN, never));
    await Promise.resolve();
    expect(answers).toHaveLength(1);
    answers[0]?.({ password: "p" });
    expect(new Set((await Promise.all(waiting)).map((login) => login.password))).toEqual(new Set(["p"]));
    const next = logins.server(OWN, never);
    answers[1]?.({ password: "q" });
    expect(await next).toMatchObject({ password: "q" });
  });

  test("that was left by all who asked is of use to the next, once and for ten seconds", async () => {
    const { answers, credentials } = slow();
    const clock = new ManualClock();
    const logins = sourceFor(credentials, "redis://h", clock);
    const leave = async (answer: object) => {
      const left = new AbortController();
      const waiting = logins.server(OWN, left.signal);
      left.abort();
      await expect(waiting).rejects.toThrow(/closed/);
      answers.at(-1)?.(answer);
      await clock.advance(0);
    };
    await leave({ password: "p" });
    await clock.advance(9_999);
    expect(await logins.server(OWN, never)).toMatchObject({ password: "p" });
    await leave({ password: "q" });
    expect(answers).toHaveLength(2);
    await clock.advance(10_000);
    const late = logins.server(OWN, never);
    answers.at(-1)?.({ password: "r" });
    expect(await late).toMatchObject({ password: "r" });
  });
});

test("a getter of the source that throws is reported without its message", async () => {
  const source = {
    get password(): string {
      throw new Error(SECRET);
    },
  };
  const error: unknown = await sourceFor(undefined, source)
    .server(OWN, never)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "CREDENTIALS" });
  expect((error as Error).stack).not.toContain(SECRET);
});
