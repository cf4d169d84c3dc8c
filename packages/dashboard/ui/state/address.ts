import { nameText } from "./api.ts";

/** A consumer group, by names. */
export interface Address {
  readonly stream: string;
  readonly group: string;
}

/** The address as the server takes it. */
export const addressParameters = ({ stream, group }: Address) => ({
  stream: nameText(stream),
  group: nameText(group),
});
