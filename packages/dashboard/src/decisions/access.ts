/** Who may ask for what. Judges a request by its headers alone. */

/** What a request says of itself. Header values are `undefined` where there is none. */
export interface RequestFacts {
  /** `page`: the page's own files, which hold no data · `data` · `act`: changes something. */
  readonly kind: "page" | "data" | "act";
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Where the browser says that the request comes from: `Sec-Fetch-Site`. */
  readonly site: string | undefined;
  /** Who signed in, by the session or the token of the request; `null` if nobody did. */
  readonly signedIn: string | null;
  /** Whether the token itself was in the request, which no browser sends without being told to. */
  readonly hasBearer: boolean;
  /** The value of the trusted header. */
  readonly userHeader: string | undefined;
}

export interface AccessPolicy {
  /** Lower case, beside those of this machine. */
  readonly hosts: readonly string[];
  readonly how: "anyone" | "tokens" | "header";
  readonly allowActions: boolean;
  /** `undefined`: everybody. */
  readonly operators: readonly string[] | undefined;
}

export type Access =
  | { readonly kind: "allowed"; readonly user: string; readonly mayAct: boolean }
  | { readonly kind: "refused"; readonly status: 401 | 403; readonly reason: string };

/** The name in the log where nobody has to say who they are. */
export const ANYONE = "anyone on this machine";

export function decideAccess(facts: RequestFacts, policy: AccessPolicy): Access {
  const hostname = hostnameOf(facts.host ?? "");
  if (hostname === null || !(isLoopback(hostname) || policy.hosts.includes(hostname))) {
    return refused(403, "this host name is not among the dashboard's `hosts`");
  }
  if (facts.kind !== "page" && isForeign(facts)) return refused(403, "the request comes from another site");
  if (facts.kind === "page") return { kind: "allowed", user: "", mayAct: false };
  const user = userOf(facts, policy);
  if (user === null) {
    return refused(401, policy.how === "header" ? "the proxy did not say who this is" : "nobody is signed in");
  }
  const mayAct = policy.allowActions && (policy.operators === undefined || policy.operators.includes(user));
  if (facts.kind === "act" && !mayAct) {
    return refused(
      403,
      policy.allowActions
        ? "this user is not among the `operators`"
        : "the dashboard only shows: `allowActions` is off",
    );
  }
  return { kind: "allowed", user, mayAct };
}

/** Whether the request was made by a page that is not the dashboard's. */
function isForeign({ kind, host, origin, site, hasBearer }: Omit<RequestFacts, "signedIn" | "userHeader">): boolean {
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  if (origin === undefined) return kind === "act" && !hasBearer;
  return originHost(origin) !== host?.toLowerCase();
}

/** Whether a host name or an address is that of this machine only. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function userOf({ signedIn, userHeader = "" }: RequestFacts, { how }: AccessPolicy): string | null {
  if (how === "anyone") return ANYONE;
  if (how === "tokens") return signedIn;
  const name = userHeader.trim();
  return name === "" || name.length > 200 ? null : name;
}

/** `localhost` of `localhost:9473`, `[::1]` of `[::1]:80`; `null` for what is no host. */
function hostnameOf(host: string): string | null {
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host) ?? [];
  return name?.toLowerCase() ?? null;
}

/** The host and port of an origin; `null` for one that has none, such as that of a sandboxed page. */
function originHost(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}

const refused = (status: 401 | 403, reason: string): Access => ({ kind: "refused", status, reason });
