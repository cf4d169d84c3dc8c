/** Lets requests in: who asks, from where, and what the answer's headers forbid. */
import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { type Access, decideAccess, type RequestFacts } from "./decisions/access.ts";
import type { DashboardEvent } from "./events.ts";
import type { DashboardPolicy } from "./options.ts";
import { readBody } from "./requests.ts";
import { Sessions } from "./sessions.ts";

/** Somebody whose request was let in. */
export interface Visitor {
  readonly user: string;
  readonly mayAct: boolean;
}

/** What the page has to know first. */
export interface SessionInfo {
  /** `null`: not signed in. */
  readonly user: string | null;
  readonly mayAct: boolean;
  readonly how: "anyone" | "tokens" | "header";
  /** Whether the dashboard lets anybody act. */
  readonly allowActions: boolean;
}

const COOKIE = "redis_batch_session";

// No script, style, image or connection but the dashboard's own, nothing inline, and no page around it.
const CSP = [
  "default-src 'none'",
  ...["script-src", "style-src", "img-src", "connect-src", "form-action"].map((what) => `${what} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CSP,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export class Gate {
  readonly #policy: DashboardPolicy;
  readonly #report: (event: DashboardEvent) => void;
  readonly #sessions: Sessions;
  readonly #how: SessionInfo["how"];

  constructor(policy: DashboardPolicy, report: (event: DashboardEvent) => void) {
    this.#policy = policy;
    this.#report = report;
    this.#sessions = new Sessions(policy.tokens);
    this.#how = policy.userHeader !== undefined ? "header" : policy.tokens.size > 0 ? "tokens" : "anyone";
  }

  /** For every answer. */
  readonly secureHeaders: MiddlewareHandler = async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  };

  /** Lets in who asks for the page itself, which has no data. */
  readonly page: MiddlewareHandler = (c, next) => this.#let(c, next, "page");
  /** Lets in who may look. */
  readonly data: MiddlewareHandler = (c, next) => this.#let(c, next, "data");
  /** Lets in who may act. */
  readonly act: MiddlewareHandler = (c, next) => this.#let(c, next, "act");

  /** Who asks. */
  session(c: Context): SessionInfo {
    const access = this.#judge(c, "data");
    const { allowActions } = this.#policy;
    const [user, mayAct] = access.kind === "allowed" ? [access.user, access.mayAct] : [null, false];
    return { user, mayAct, how: this.#how, allowActions };
  }

  /** Signs in with a token. */
  async signIn(c: Context): Promise<Response> {
    this.#refuseForeign(c);
    const { token } = await readBody(c);
    const name = typeof token === "string" ? this.#sessions.whose(token) : null;
    if (name === null) {
      this.#report({ type: "refused", status: 401, reason: "a token was wrong" });
      return c.json({ error: "This token is not known." }, 401);
    }
    const { value, maxAgeSeconds } = this.#sessions.open(name, Date.now());
    setCookie(c, COOKIE, value, { ...this.#cookie(c), maxAge: maxAgeSeconds });
    return c.json({ user: name });
  }

  signOut(c: Context): Response {
    this.#refuseForeign(c);
    deleteCookie(c, COOKIE, this.#cookie(c));
    return c.json({ user: null });
  }

  #refuseForeign(c: Context): void {
    // Otherwise another page could sign a visitor in under somebody else's name.
    const access = decideAccess(
      { ...this.#facts(c, "act"), signedIn: "", userHeader: "-" },
      {
        ...{ hosts: this.#policy.hosts, how: "tokens", allowActions: true, operators: undefined },
      },
    );
    if (access.kind === "refused") throw new HTTPException(access.status, { message: access.reason });
  }

  async #let(c: Context, next: () => Promise<void>, kind: RequestFacts["kind"]): Promise<Response | undefined> {
    const access = this.#judge(c, kind);
    if (access.kind === "refused") {
      this.#report({ type: "refused", status: access.status, reason: access.reason });
      return c.json({ error: access.reason }, access.status);
    }
    c.set("visitor", { user: access.user, mayAct: access.mayAct } satisfies Visitor);
    await next();
    return undefined;
  }

  #judge(c: Context, kind: RequestFacts["kind"]): Access {
    const { hosts, allowActions, operators } = this.#policy;
    return decideAccess(this.#facts(c, kind), { hosts, how: this.#how, allowActions, operators });
  }

  #facts(c: Context, kind: RequestFacts["kind"]): RequestFacts {
    const { userHeader } = this.#policy;
    const [, bearer] = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const cookie = getCookie(c, COOKIE);
    return {
      kind,
      host: c.req.header("host") ?? new URL(c.req.url).host,
      origin: c.req.header("origin"),
      site: c.req.header("sec-fetch-site"),
      signedIn: this.#whose(bearer, cookie),
      hasBearer: bearer !== undefined,
      userHeader: userHeader === undefined ? undefined : c.req.header(userHeader),
    };
  }

  #whose(bearer: string | undefined, cookie: string | undefined): string | null {
    if (bearer !== undefined) return this.#sessions.whose(bearer);
    return cookie === undefined ? null : this.#sessions.read(cookie, Date.now());
  }

  #cookie(c: Context) {
    const isSecure = c.req.url.startsWith("https:") || c.req.header("x-forwarded-proto") === "https";
    return { path: `${this.#policy.prefix}/`, httpOnly: true, sameSite: "Strict", secure: isSecure } as const;
  }
}
