import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  ExtractorMessageCategory,
  type IExtractorMessagesConfig,
} from "@microsoft/api-extractor";
import { publishedDoors, publishedPackages, type WorkspacePackage } from "./packages.ts";

/** What one door of a package promises to its users. */
export interface ApiReport {
  /** Where it is committed, absolute: …/packages/scaler/api/keda.api.md. */
  readonly path: string;
  readonly text: string;
}

/** What a package promises to its users. */
export interface PackageApi {
  readonly name: string;
  readonly reports: readonly ApiReport[];
  /** Types that its signatures name and no public door exports. */
  readonly unexported: readonly string[];
  /** What api-extractor finds odd: a property that can be set and not read, say. */
  readonly oddities: readonly string[];
}

// Core's doors for its siblings and their tests, which promise nothing.
const PRIVATE_DOOR = /^(internal.*|testing|web)$/;

const NONE = { logLevel: ExtractorLogLevel.None };
const MESSAGES: IExtractorMessagesConfig = {
  // `tsc` has checked the sources, and the linter their comments.
  compilerMessageReporting: { default: NONE },
  tsdocMessageReporting: { default: NONE },
  extractorMessageReporting: {
    default: { logLevel: ExtractorLogLevel.Warning },
    // Whatever a public door exports is public.
    "ae-missing-release-tag": NONE,
    "ae-undocumented": NONE,
    // It cannot follow a link into another package or to one of several overloads.
    "ae-unresolved-link": NONE,
    // The siblings are read as sources.
    "ae-wrong-input-file-type": NONE,
  },
};

/** Reads the public doors of every published package from its sources. */
export function readApis(root: string): readonly PackageApi[] {
  const packages = publishedPackages(root).filter((published) => doorsOf(published).length > 0);
  for (const { folder } of packages) writeDeclarations(folder);
  // What passes through a sibling's private door is promised by the package that shows it: it is read as if it were its own.
  const paths = Object.fromEntries(
    packages.flatMap((published) =>
      doorsOf(published)
        .filter((door) => PRIVATE_DOOR.test(door))
        .map((door) => [`${published.manifest.name}/${door}`, [join(declarations(published.folder), `${door}.d.ts`)]]),
    ),
  );
  const read = packages.map((published) => ({
    name: published.manifest.name,
    doors: doorsOf(published)
      .filter((door) => !PRIVATE_DOOR.test(door))
      .map((door) => readDoor(root, published.folder, door, paths)),
  }));
  const exported = new Set(read.flatMap(({ doors }) => doors.flatMap(({ report }) => exportedNames(report.text))));
  return read.map(({ name, doors }) => ({
    name,
    reports: doors.map(({ report }) => report),
    unexported: [...new Set(doors.flatMap(({ unexported }) => unexported)).difference(exported)].toSorted(),
    oddities: doors.flatMap(({ oddities }) => oddities),
  }));
}

/** Those that the registry's copy has, by their files: "index", "keda". */
function doorsOf(published: WorkspacePackage): string[] {
  return publishedDoors(published).map((door) => (door === "." ? "index" : door.slice("./".length)));
}

const SIBLINGS = ["--customConditions", "@redis-batch/source"];

/**
 * As they are published, and without a build: each file's declarations need no types of other files, and what a name is
 * that comes from a sibling is read from its sources.
 */
function writeDeclarations(folder: string): void {
  rmSync(declarations(folder), { recursive: true, force: true });
  const args = ["-p", join(folder, "tsconfig.build.json"), "--noCheck", "--outDir", declarations(folder), ...SIBLINGS];
  const { status, stdout, stderr, error } = spawnSync("tsc", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`tsc ${args.join(" ")} failed:\n${error?.message ?? ""}${stdout}${stderr}`);
}

function declarations(folder: string): string {
  return join(folder, ".cache", "api");
}

interface Door extends Pick<PackageApi, "unexported" | "oddities"> {
  readonly report: ApiReport;
}

function readDoor(
  root: string,
  folder: string,
  door: string,
  paths: Readonly<Record<string, readonly string[]>>,
): Door {
  const entry = join(declarations(folder), `${door}.d.ts`);
  const reportFolder = join(folder, "api");
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: entry,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          extends: join(root, "tsconfig.base.json"),
          compilerOptions: { noCheck: true, paths },
          files: [entry],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: door,
        reportFolder,
        reportTempFolder: dirname(entry),
        // A type without `export` is a promise as well where a signature names it.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: MESSAGES,
    },
  });

  const unexported: string[] = [];
  const oddities: string[] = [];
  Extractor.invoke(config, {
    messageCallback: (message) => {
      message.handled = true;
      if (message.category !== ExtractorMessageCategory.Extractor || message.logLevel === ExtractorLogLevel.None)
        return;
      // A name that two files have ends in a number.
      const forgotten = /^The symbol "(.+?)(?:_\d+)?" needs to be exported/.exec(message.text)?.[1];
      if (forgotten === undefined) oddities.push(message.formatMessageWithLocation(root));
      else unexported.push(forgotten);
    },
  });
  // It leaves descriptions out, but not those inside a type.
  const text = readFileSync(join(dirname(entry), `${door}.api.md`), "utf8").replaceAll(
    /^[ \t]*\/\*\*[^]*?\*\/\n/gm,
    "",
  );
  return { report: { path: join(reportFolder, `${door}.api.md`), text }, unexported, oddities };
}

/** The names a report shows as exported by the package itself. */
function exportedNames(report: string): string[] {
  return [...report.matchAll(/^export (?:\{ |(?:abstract |declare )*\w+ )(\w+)/gm)].flatMap(([, name]) => name ?? []);
}

/**
 * What is wrong with the committed reports, with the difference: out of date, missing, or of a door that is not there any
 * more; and which types should be exported, or be among those that are `allowed` not to be.
 */
export function apiProblems(root: string, apis: readonly PackageApi[], allowed: readonly string[]): string[] {
  const unexported = new Set(apis.flatMap((api) => api.unexported));
  return [
    ...apis.flatMap(({ reports }) => reports.flatMap((report) => reportProblems(root, report))),
    ...staleReports(root, apis).map((path) => `${relative(root, path)}: no such door is public. ${AGAIN}`),
    ...[...unexported.difference(new Set(allowed))].map(
      (type) => `${type} is part of a public signature and is not exported. Export it, or list it in scripts/api.ts.`,
    ),
    ...allowed
      .filter((type) => !unexported.has(type))
      .map((type) => `${type} need not be listed in scripts/api.ts. Remove it there.`),
    ...apis.flatMap(({ oddities }) => oddities),
  ];
}

const AGAIN = "Run `pnpm api`, and commit the report if this is meant.";

function reportProblems(root: string, { path, text }: ApiReport): string[] {
  const name = relative(root, path);
  if (!existsSync(path)) return [`${name}: missing. ${AGAIN}`];
  if (readFileSync(path, "utf8") === text) return [];
  const diff = spawnSync("git", ["diff", "--no-index", "--no-color", "--", path, "-"], {
    input: text,
    encoding: "utf8",
  });
  const lines = diff.stdout.split("\n").slice(4).join("\n");
  return [`${name}: the public API is not what is committed. ${AGAIN}\n${diff.error?.message ?? lines}`];
}

/** Writes every report, and removes those of doors that are not there any more → the paths of what has changed. */
export function writeApis(root: string, apis: readonly PackageApi[]): string[] {
  const stale = staleReports(root, apis);
  for (const path of stale) rmSync(path);
  const changed = apis.flatMap(({ reports }) => reports).filter((report) => reportProblems(root, report).length > 0);
  for (const { path, text } of changed) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return [...stale, ...changed.map(({ path }) => path)].map((path) => relative(root, path));
}

function staleReports(root: string, apis: readonly PackageApi[]): string[] {
  const current = new Set(apis.flatMap(({ reports }) => reports.map(({ path }) => path)));
  return publishedPackages(root)
    .map(({ folder }) => join(folder, "api"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter((path) => !current.has(path));
}
