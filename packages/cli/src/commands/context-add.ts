import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Run } from "../command.ts";
import { changeContexts, contextsPath, type SavedContext } from "../connection/contexts.ts";
import { decidePlace, urlOf } from "../connection/place.ts";
import { Failure } from "../failure.ts";
import type { contextAdd } from "../table/setup.ts";

export const run: Run<typeof contextAdd> = async ({ args, options, terminal }) => {
  const { parseRedisUrl } = await import("@redis-batch/core/internal/connection");
  if (options.url === undefined && options.sentinel === undefined) {
    throw new Failure("usage", "a context needs --url or --sentinel");
  }
  // Report a mistake now rather than at the first use.
  parseRedisUrl(urlOf(decidePlace(options, {}, undefined)));
  const given = [options["password-file"], options["password-env"], options["ask-password"] || undefined];
  if (given.filter((source) => source !== undefined).length > 1) {
    throw new Failure("usage", "--password-file, --password-env and --ask-password exclude each other");
  }
  const path = contextsPath(terminal.env);
  const saved: SavedContext = {
    name: args.name,
    ...withoutUndefined({
      url: options.url,
      user: options.user,
      passwordFile: absolute(options["password-file"]),
      passwordEnv: options["password-env"],
      askPassword: options["ask-password"] || undefined,
      sentinel: options.sentinel,
      sentinelName: options["sentinel-name"],
      cluster: options.cluster || undefined,
      tlsCa: absolute(options["tls-ca"]),
      tlsCert: absolute(options["tls-cert"]),
      tlsKey: absolute(options["tls-key"]),
    }),
  };
  let isCurrent = false;
  await changeContexts(path, ({ current = args.name, all }) => {
    if (all.has(args.name) && !options.force) {
      throw new Failure("refused", `the context "${args.name}" already exists`, "--force replaces it");
    }
    isCurrent = current === args.name;
    return { current, all: new Map(all).set(args.name, saved) };
  });
  // The file may be created later; a missing one is still worth a warning.
  for (const file of [saved.passwordFile, saved.tlsCa, saved.tlsCert, saved.tlsKey]) {
    if (file !== undefined && !existsSync(file)) terminal.note(`there is no file ${file}`, "warn");
  }
  await terminal.report(
    {
      facts: [
        { key: "context", value: args.name },
        { key: "current", value: isCurrent },
        { key: "file", value: path },
      ],
    },
    options.json,
  );
};

/** A context is used from other folders than the one it was made in. */
const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));

function withoutUndefined<Values extends Readonly<Record<string, string | boolean | undefined>>>(values: Values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [Name in keyof Values]?: Exclude<Values[Name], undefined> };
}
