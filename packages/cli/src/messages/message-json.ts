import { encodeJson } from "../render/escape.ts";
import { encodeFields } from "./message-line.ts";

export interface ShownMessage {
  readonly id: string;
  /** The number of deliveries, if it was delivered at all. */
  readonly deliveries?: number | undefined;
  readonly raw: readonly Buffer[];
}

/** A message as one JSON value that `produce` can read. */
export function messageValue({ id, deliveries, raw }: ShownMessage): Readonly<Record<string, unknown>> {
  return { id, ...(deliveries === undefined ? {} : { deliveries }), fields: encodeFields(raw) };
}

/** A message as a line of NDJSON. */
export function messageLine(message: ShownMessage): string {
  return `${encodeJson(messageValue(message))}\n`;
}
