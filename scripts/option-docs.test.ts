import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OptionSpec, OptionSpecs } from "@redis-batch/core/internal/options";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "./lib/root.mjs";
import { SPECS } from "./lib/specs.ts";

// What somebody types, and whose docstrings an editor shows there.
const FILE = join(ROOT, "scripts/typed-by-a-user.ts");
const TYPED = `
import { Producer } from "@redis-batch/core";
import { Consumer } from "@redis-batch/consumer";
import "@redis-batch/core/spec";
import "@redis-batch/consumer/spec";
import "@redis-batch/dashboard/spec";
import "@redis-batch/monitor/spec";
import "@redis-batch/opentelemetry/spec";
import "@redis-batch/scaler/spec";
new Consumer({ redis: "", group: "", batchSize: 3, retry: { capMs: 3 }, observer() {}, codec: { decode: () => 3 } });
new Producer({ redis: "", stream: "", maxQueued: 3, whileAway: "fail", codec: { encode: () => ({}) } });
`;
const SHOWN = [
  ["Consumer", "redis", "Where Redis is: a URL"],
  ["Consumer", "batchSize", "Messages in a full batch, 1 to 10,000. Default 100."],
  ["Consumer", "capMs", "The longest delay, in milliseconds"],
  ["Consumer", "observer", "Receives every event."],
  ["Consumer", "codec", "How the fields become `message.value`"],
  ["Producer", "redis", "Where Redis is: a URL"],
  ["Producer", "maxQueued", "Messages accepted and not yet confirmed at most, 1 to 10,000,000. Default 10,000."],
  ["Producer", "whileAway", "What becomes of an add while there is no connection."],
  ["Producer", "codec", "How a value becomes fields"],
] as const;

/** An editor that has the file open. */
function openEditor(settings: ts.CompilerOptions): ts.LanguageService {
  const read = (path: string): string | undefined => (path === FILE ? TYPED : ts.sys.readFile(path));
  const base = { strict: true, skipLibCheck: true, noEmit: true, target: ts.ScriptTarget.ES2023, types: ["node"] };
  return ts.createLanguageService({
    readDirectory: (...given) => ts.sys.readDirectory(...given),
    directoryExists: (path) => ts.sys.directoryExists(path),
    getDirectories: (path) => ts.sys.getDirectories(path),
    realpath: (path) => ts.sys.realpath?.(path) ?? path,
    getCompilationSettings: () => ({
      ...{ ...base, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
      ...{ allowImportingTsExtensions: true, ...settings },
    }),
    getScriptFileNames: () => [FILE],
    getScriptVersion: () => "1",
    getScriptSnapshot: (path) => {
      const text = read(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (path) => path === FILE || ts.sys.fileExists(path),
    readFile: read,
  });
}

function shownAt(editor: ts.LanguageService, name: string, option: string): string {
  const call = TYPED.indexOf(`new ${name}(`);
  const at = TYPED.slice(call).search(new RegExp(`\\b${option}\\b`)) + call;
  return ts.displayPartsToString(editor.getQuickInfoAtPosition(FILE, at)?.documentation);
}

describe("an editor shows the docstring of an option", () => {
  const editor = openEditor({ customConditions: ["@redis-batch/source"] });

  it.each(SHOWN)("of new %s({ %s })", (name, option, text) => {
    expect(shownAt(editor, name, option)).toContain(text);
  });

  it("when it completes a name", () => {
    const at = TYPED.indexOf("batchSize");
    const entry = editor.getCompletionEntryDetails(FILE, at, "prefetch", {}, undefined, {}, undefined);
    expect(ts.displayPartsToString(entry?.documentation)).toContain(
      "Batches read ahead while one is at work, 0 to 100.",
    );
  });

  const checker = editor.getProgram()?.getTypeChecker();
  const docs = Object.entries(SPECS).flatMap(([name, all]) => {
    const path = join(ROOT, "packages", name, "src/spec.ts");
    const file = editor.getProgram()?.getSourceFile(path);
    const door = file && checker?.getSymbolAtLocation(file);
    return Object.entries(all).flatMap(([spec, options]) => {
      const symbol = door && checker?.getExportsOfModule(door).find((one) => one.getName() === spec);
      return symbol === undefined || checker === undefined
        ? []
        : docsOf(spec, options, checker.getTypeOfSymbol(symbol), checker);
    });
  });

  it.each(docs)("that has the range and the default of $path", ({ text, spec }) => {
    expect(text).not.toBe("");
    const missing = wordsOf(spec).filter((words) => !words.some((one) => text.includes(one)));
    expect(missing.map((words) => words.join(" or "))).toEqual([]);
  });

  it("of every option there is", () => {
    expect(docs.length).toBeGreaterThan(100);
  });
});

interface Documented {
  readonly path: string;
  readonly spec: Exclude<OptionSpec, { readonly kind: "redis" }>;
  readonly text: string;
}

function docsOf(path: string, options: OptionSpecs, type: ts.Type, checker: ts.TypeChecker): Documented[] {
  return Object.entries(options).flatMap(([name, spec]) => {
    const property = type.getProperty(name);
    if (spec.kind === "redis" || property === undefined) return [];
    const text = ts.displayPartsToString(property.getDocumentationComment(checker)).replaceAll(/\s+/g, " ");
    const inner = spec.kind === "options" && checker.getTypeOfSymbol(property).getProperty("options");
    return [
      { path: `${path}.${name}`, spec, text },
      ...(inner ? docsOf(`${path}.${name}`, spec.options, checker.getTypeOfSymbol(inner), checker) : []),
    ];
  });
}

/** What a docstring must say, in one of several ways. */
function wordsOf(spec: Documented["spec"]): readonly (readonly string[])[] {
  const value = "default" in spec ? spec.default : undefined;
  const fallback =
    typeof value === "number"
      ? amounts(value)
      : value === undefined || typeof value === "object"
        ? []
        : [`\`${value}\``, `\`${JSON.stringify(value)}\``];
  const bounds = "min" in spec ? amounts(spec.max).map((amount) => `to ${amount}`) : [];
  return [fallback, bounds].filter((words) => words.length > 0);
}

const amounts = (value: number): readonly string[] => [
  ...[value.toLocaleString("en-US"), value.toLocaleString("en-US", { minimumFractionDigits: 2 })],
  ...[`${value / 2 ** 20} MiB`, `2^${Math.log2(value)}`, `2^${Math.log2(value + 1)}-1`],
];

describe("so it is with what is published", () => {
  let folder: string;
  let editor: ts.LanguageService;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rb-docs-"));
    for (const name of ["core", "consumer"]) {
      const build = ["-p", `packages/${name}/tsconfig.build.json`, "--customConditions", "@redis-batch/source"];
      const { status, stdout } = spawnSync("tsc", [...build, "--rootDir", "packages", "--outDir", folder], {
        ...{ cwd: ROOT, encoding: "utf8" },
      });
      if (status !== 0) throw new Error(`tsc ${build.join(" ")} failed:\n${stdout}`);
    }
    const at = (name: string, door: string) => [join(folder, name, "src", `${door}.d.ts`)];
    editor = openEditor({
      paths: {
        "@redis-batch/core": at("core", "index"),
        "@redis-batch/core/internal/*": at("core", "internal/*"),
        "@redis-batch/consumer": at("consumer", "index"),
      },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(SHOWN)("at new %s({ %s })", (name, option, text) => {
    expect(shownAt(editor, name, option)).toContain(text);
  });
});
