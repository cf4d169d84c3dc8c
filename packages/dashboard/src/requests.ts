/** What requests say, checked. */
import type { IncomingMessage } from "node:http";
import type { RateLimit } from "@redis-batch/core";
import { parsePlacedId } from "@redis-batch/core/internal/messages";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { GroupWish } from "./actions/group-actions.ts";
import type { Wish } from "./actions/plans.ts";
import type { GroupAct } from "./decisions/command-line.ts";

const wrong = (message: string): HTTPException => new HTTPException(400, { message });

/** A name from the query, as JSON writes it, without the quotes: bytes that are no text survive in no other way. */
export function readName(c: Context, parameter: string): string {
  const name = readOptionalName(c, parameter);
  if (name === null || name === "") throw wrong(`${parameter} is missing`);
  return name;
}

export function readOptionalName(c: Context, parameter: string): string | null {
  const text = c.req.query(parameter);
  if (text === undefined) return null;
  try {
    const name: unknown = JSON.parse(`"${text}"`);
    if (typeof name === "string") return name;
  } catch {
    // Said below.
  }
  throw wrong(`${parameter} is not written as JSON writes it`);
}

export function readNumber(c: Context, parameter: string, otherwise: number): number {
  const text = c.req.query(parameter);
  if (text === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(text)) throw wrong(`${parameter} must be a number`);
  return Number(text);
}

export function readLimit(c: Context): number {
  return Math.min(Math.max(readNumber(c, "limit", 50), 1), 200);
}

/** Which messages first: `next` are those that the group reads next. */
export function readOrder(c: Context): "newest" | "oldest" | "next" {
  const order = c.req.query("order") ?? "newest";
  if (order === "newest" || order === "oldest" || order === "next") return order;
  throw wrong("order must be newest, oldest or next");
}

/** The JSON of the body, also where the application around the dashboard has read it before. */
export async function readBody(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: IncomingMessage & { readonly body?: unknown } };
  const body: unknown = incoming?.body ?? (await c.req.json().catch(() => null));
  if (typeof body !== "object" || body === null) throw wrong("the body must be a JSON object");
  return body as Readonly<Record<string, unknown>>;
}

export function readWish(body: Readonly<Record<string, unknown>>): Wish {
  const { action, stream, group, limit = 1_000, perSecond = 0, addTrimmed = false } = body;
  if (action !== "redrive" && action !== "discard") throw wrong("action must be redrive or discard");
  if (typeof stream !== "string" || typeof group !== "string") throw wrong("stream and group must be names");
  if (!isBetween(limit, 1, 10_000)) throw wrong("limit must be a whole number from 1 to 10000");
  if (!isBetween(perSecond, 0, 10_000)) throw wrong("perSecond must be a whole number from 0 to 10000");
  if (typeof addTrimmed !== "boolean") throw wrong("addTrimmed must be true or false");
  return { action, stream, group, limit, perSecond, addTrimmed, chosen: readChosen(body) };
}

function readChosen({ all, key, ids }: Readonly<Record<string, unknown>>): Wish["chosen"] {
  if (all === true) return { kind: "all" };
  if (typeof key === "string") return { kind: "error", key };
  if (Array.isArray(ids) && ids.every((id): id is string => typeof id === "string" && parsePlacedId(id) !== null)) {
    return { kind: "ids", ids };
  }
  throw wrong("say which dead letters: all, key or ids");
}

const YEAR_MS = 31_536_000_000;
const DAY_MS = 86_400_000;
// Every report of the group has it, and every consumer reads it with each heartbeat.
const LONGEST_REASON = 500;

export function readGroupWish(body: Readonly<Record<string, unknown>>): GroupWish {
  const { stream, group, seenSinceMs } = body;
  if (typeof stream !== "string" || typeof group !== "string") throw wrong("stream and group must be names");
  if (seenSinceMs !== undefined && seenSinceMs !== null && typeof seenSinceMs !== "number") {
    throw wrong("seenSinceMs must be a time or null");
  }
  return { ...readGroupAct(body), stream, group, seenSinceMs };
}

function readGroupAct({ action, forMs, reason, limit }: Readonly<Record<string, unknown>>): GroupAct {
  switch (action) {
    case "pause":
      if (forMs !== null && !isBetween(forMs, 1_000, YEAR_MS)) throw wrong(`forMs must be null or 1000 to ${YEAR_MS}`);
      if (reason !== null && (typeof reason !== "string" || reason.length > LONGEST_REASON)) {
        throw wrong(`reason must be null or a text of at most ${LONGEST_REASON} characters`);
      }
      return { action, forMs, reason: reason?.trim() || null };
    case "resume":
      return { action };
    case "rate":
      return { action, limit: readRate(limit) };
    default:
      throw wrong("action must be pause, resume or rate");
  }
}

function readRate(limit: unknown): RateLimit | null {
  if (limit === null) return null;
  const { messages, perMs } = Object(limit) as Readonly<Record<string, unknown>>;
  if (!isBetween(messages, 1, 1_000_000_000)) throw wrong("limit must be null, or have 1 to 1000000000 messages");
  if (!isBetween(perMs, 1, DAY_MS)) throw wrong(`perMs of limit must be 1 to ${DAY_MS}`);
  return { messages, perMs };
}

const isBetween = (value: unknown, min: number, max: number): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
