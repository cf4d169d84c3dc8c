/** Which view is shown: the part of the address after `#`. */
import { signal } from "@preact/signals";
import { nameText } from "./api.ts";

export const TABS = ["health", "dead-letters", "pending", "messages", "scaler"] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { readonly view: "overview" | "log" | "doctor" | "unknown" }
  | { readonly view: "group"; readonly stream: string; readonly group: string; readonly tab: Tab };

export const route = signal<Route>({ view: "overview" });

export const groupAddress = (stream: string, group: string, tab: Tab = "health"): string =>
  `#/group/${encode(stream)}/${encode(group)}/${tab}`;

export function startRouting(): void {
  const follow = (): void => {
    route.value = parseRoute(location.hash);
  };
  addEventListener("hashchange", follow);
  route.value = parseRoute(location.hash);
}

function parseRoute(hash: string): Route {
  const [first = "", ...rest] = hash.replace(/^#?\/?/, "").split("/");
  if (first === "") return { view: "overview" };
  if ((first === "log" || first === "doctor") && rest.length === 0) return { view: first };
  const [stream = "", group = "", tab = "health"] = rest;
  const known = TABS.find((one) => one === tab);
  try {
    if (first === "group" && known !== undefined && group !== "") {
      return { view: "group", stream: decode(stream), group: decode(group), tab: known };
    }
  } catch {
    // An address that nobody was given.
  }
  return { view: "unknown" };
}

const encode = (name: string): string => encodeURIComponent(nameText(name)).replaceAll(".", "%2E");
const decode = (text: string): string => JSON.parse(`"${decodeURIComponent(text)}"`) as string;
