/**
 * Asks for user, password and certificates at each connection. ioredis reads them once, when a client is created, and
 * reconnects with them for ever. Its connector is asynchronous, so each connection waits there for its answer.
 */
import { inspect } from "node:util";
import type { Redis } from "ioredis";
import type { RedisClient } from "../redis-client.ts";

/** With what one connection logs in. */
export interface Login {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Options of `node:tls`; none: no TLS. */
  readonly tls: object | undefined;
}

/** @param initial as ioredis has it from the client's options */
type Ask = (initial: Login, signal: AbortSignal) => Promise<Login>;

/** Who is asked, for a server and for a Sentinel. */
export interface LoginSource {
  readonly server: Ask;
  readonly sentinel: Ask;
}

/** Relies on both majors keeping these, and on `condition.auth` being what a connection sends with AUTH. */
interface Insides {
  readonly options: {
    readonly username?: string | null;
    readonly password?: string | null;
    tls?: object | undefined;
  };
  readonly connector?: Connector;
  readonly condition?: { auth: unknown };
  duplicate(override?: object): Redis;
}

interface Connector {
  /** False after `disconnect`. */
  connecting: boolean;
  connect(emit: unknown): Promise<unknown>;
  disconnect(): void;
  /** Only if there are Sentinels. */
  connectToSentinel?(endpoint: object, options?: object): Redis;
}

const HIDDEN = "[hidden]";

/** Has a client, not connected yet, ask at each of its connections: to nodes and Sentinels, too. */
export function logInWith(source: LoginSource, client: RedisClient): void {
  if (client.isCluster) client.on("+node", (node) => logIn(node as Redis, source.server, source));
  else logIn(client as Redis, source.server, source);
}

function logIn(client: Redis, ask: Ask, source: LoginSource): void {
  const insides = client as unknown as Insides;
  const { connector, options } = insides;
  // Of an unknown version: it logs in with the options it was created with.
  if (typeof connector?.connect !== "function") return;
  const initial = {
    username: options.username ?? undefined,
    password: options.password ?? undefined,
    tls: options.tls,
  };
  const connect = connector.connect.bind(connector);
  const disconnect = connector.disconnect.bind(connector);
  let cancel = (): void => {};
  connector.connect = async (emit) => {
    connector.connecting = true;
    const asking = new AbortController();
    cancel = () => asking.abort();
    const login = await ask(initial, asking.signal);
    // The text by which ioredis knows that it was disconnected meanwhile.
    if (!connector.connecting) throw new Error("Connection is closed.");
    options.tls = login.tls;
    if (insides.condition !== undefined) insides.condition.auth = authArguments(login);
    return connect(emit);
  };
  connector.disconnect = () => {
    cancel();
    disconnect();
  };
  // A Cluster asks a duplicate of a node for the slots.
  const duplicate = insides.duplicate.bind(client);
  insides.duplicate = (override) => {
    const copy = duplicate(override);
    logIn(copy, ask, source);
    return copy;
  };
  const connectToSentinel = connector.connectToSentinel?.bind(connector);
  if (connectToSentinel === undefined) return;
  connector.connectToSentinel = (endpoint, own) => {
    // It connects with its first command: otherwise it would have begun already.
    const sentinel = connectToSentinel(endpoint, { ...own, lazyConnect: true });
    logIn(sentinel, source.sentinel, source);
    return sentinel;
  };
}

function authArguments({ username, password }: Login): unknown {
  if (username === undefined) return password === undefined ? undefined : hide(password);
  return [username, hide(password ?? "")];
}

/** A password that is sent as it is, and shown neither by `DEBUG=ioredis:*` nor by an error to which the command is attached. */
function hide(password: string): Buffer {
  const hidden = { [inspect.custom]: () => HIDDEN, toJSON: () => HIDDEN, toString: () => HIDDEN };
  return Object.defineProperties(
    Buffer.from(password),
    Object.fromEntries(
      Reflect.ownKeys(hidden).map((name) => [name, { value: Reflect.get(hidden, name) as unknown, enumerable: false }]),
    ),
  );
}
