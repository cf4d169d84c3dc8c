import { encodeJson } from "../render/escape.ts";
import { encodeFields } from "./message-line.ts";

export interface ShownMessage {
  /** Where messages of several streams are shown. */
  readonly stream?: string | undefined;
  readonly id: string;
  /** The number of deliveries, if it was delivered at all. */
  readonly deliveries?: number | undefined;
  readonly raw: readonly Buffer[];
}

/** A message as one JSON value that `produce` can read. */
export function messageValue({ stream, id, deliveries, raw }: ShownMessage): Readonly<Record<string, unknown>> {
  const whose = stream === undefined ? {} : { stream };
  return { ...whose, id, ...(deliveries === undefined ? {} : { deliveries }), fields: encodeFields(raw) };
}

/** A message as a line of NDJSON. */
export function messageLine(message: ShownMessage): string {
  return `${encodeJson(messageValue(message))}\n`;
}
