/** The parts of a URL with one or several hosts. Not read by `URL`, which refuses a comma between hosts. */

/** What stands in a URL, decoded. Nothing is checked that depends on the scheme. */
export interface UrlParts {
  /** In lower case, without the colon: `redis`, `rediss+cluster` … */
  readonly scheme: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** One host per comma. The port is undefined if there is none. */
  readonly hosts: readonly { readonly host: string; readonly port: number | undefined }[];
  /** The path as it stands there, not decoded, without its first slash. */
  readonly path: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reports a problem. Sentences never quote the URL: any part of it may be a password that was not escaped. */
type Tell = (problem: string) => void;

/** @returns `undefined` if the text has no scheme */
export function splitUrl(text: string, tell: Tell): UrlParts | undefined {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/([^]*)$/i.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  if (rest.includes("#")) tell('the URL must not have a "#"; in a password, write it as %23');
  const [, authority = "", path, query] = /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/.exec(rest) ?? [];
  const at = authority.lastIndexOf("@");
  const login = authority.slice(0, Math.max(at, 0));
  const [user = "", password = ""] = splitOnce(login, ":");
  const places = authority.slice(at + 1);
  // Of one host, all that stands before the last "@" is user and password.
  if (scheme.includes("+") && login.includes("@")) {
    tell('user and password must stand once, before the first host; in a password, write "@" as %40');
  }
  return {
    scheme: scheme.toLowerCase(),
    username: emptyToUndefined(decodePart(user, tell)),
    password: emptyToUndefined(decodePart(password, tell)),
    hosts: places === "" ? [] : places.split(",").map((place, index) => readPlace(place, index + 1, tell)),
    path: path ?? "",
    parameters: readParameters(query ?? "", tell),
  };
}

/** Decodes percent escapes. */
export function decodePart(part: string, tell: Tell): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // The original error is dropped: the part may be the password.
    tell("the URL has a percent sign that is not an escape; write it as %25");
    return "";
  }
}

function readPlace(place: string, position: number, tell: Tell): UrlParts["hosts"][number] {
  // An address of IPv6 has brackets, and may name a zone: [fe80::1%25eth0].
  const [, inBrackets, name, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(place) ?? [];
  if (inBrackets === undefined && name === undefined) {
    tell(`host ${position} must be host:port; write an IPv6 address in brackets, as in [::1]:6379`);
    return { host: "", port: undefined };
  }
  const host = decodePart(inBrackets ?? name ?? "", tell);
  if (host === "") tell(`host ${position} is empty`);
  else if (!isHost(host, inBrackets !== undefined)) tell(`host ${position} is not a host name or an IP address`);
  if (port === undefined || port === "") return { host, port: undefined };
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isPort) tell(`the port of host ${position} must be a whole number from 1 to 65535`);
  return { host, port: isPort ? Number(port) : undefined };
}

function isHost(host: string, hasBrackets: boolean): boolean {
  return hasBrackets
    ? /^[\da-f:.]+(%\S+)?$/i.test(host) && host.includes(":")
    : /^[^\s\p{Cc}/\\?#@:[\]<>^|%]+$/u.test(host);
}

// Not by URLSearchParams, which would make a space of a "+".
function readParameters(query: string, tell: Tell): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((text) => text !== "")) {
    const [name = "", value = ""] = splitOnce(pair, "=").map((part) => decodePart(part, tell));
    if (parameters.has(name)) tell("the URL has a parameter twice");
    parameters.set(name, value);
  }
  return parameters;
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

const emptyToUndefined = (text: string): string | undefined => (text === "" ? undefined : text);
