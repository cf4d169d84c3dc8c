import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { apiProblems, readApis, writeApis } from "./api-reports.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rb-api-"));
  write("package.json", { private: true });
  write("tsconfig.base.json", {
    compilerOptions: { target: "es2023", lib: ["es2023"], module: "nodenext", types: [], strict: true },
  });
  write("packages/queue/tsconfig.build.json", {
    extends: "../../tsconfig.base.json",
    include: ["src"],
    compilerOptions: {
      rootDir: "src",
      stripInternal: true,
      isolatedDeclarations: true,
      emitDeclarationOnly: true,
      declaration: true,
    },
  });
  doors("queue", ".");
  write("packages/queue/src/index.ts", "export function put(times: number): number { return times; }\n");
});

afterEach(() => rmSync(root, { recursive: true }));

test("a report that was just written is not a problem", () => {
  expect(writeApis(root, readApis(root))).toEqual(["packages/queue/api/index.api.md"]);
  expect(problems()).toEqual([]);
  expect(writeApis(root, readApis(root))).toEqual([]);
});

test("a public name that changes is shown with what it was", () => {
  writeApis(root, readApis(root));
  write("packages/queue/src/index.ts", "export function add(times: number): number { return times; }\n");
  const [problem, ...others] = problems();
  expect(others).toEqual([]);
  expect(problem).toContain("packages/queue/api/index.api.md: the public API is not what is committed. Run `pnpm api`");
  expect(problem).toContain(
    "\n-export function put(times: number): number;\n+export function add(times: number): number;\n",
  );
});

test("what stands inside a function may change, and what is said of a name or inside a type", () => {
  const source = (about: string, result: string): string => `
    /** ${about} */
    export function put(times: number): number { return ${result}; }
    export type End =
      /** ${about} */
      | { readonly kind: "added" }
      /**
       * ${about}
       */
      | { readonly kind: "refused" };
  `;
  write("packages/queue/src/index.ts", source("It is said like this.", "times"));
  writeApis(root, readApis(root));
  write("packages/queue/src/index.ts", source("Said better.", "times + 1"));
  expect(problems()).toEqual([]);
});

test("a new door needs its report, one that is gone loses it, and the siblings' doors have none", () => {
  writeApis(root, readApis(root));
  for (const door of ["keda", "internal", "internal-options", "web"]) {
    write(`packages/queue/src/${door}.ts`, `export const ${door.replace("-", "")} = 1;\n`);
  }
  doors("queue", ".", "./keda", "./internal", "./internal-options", "./web", "./package.json");
  expect(problems()).toEqual([expect.stringContaining("packages/queue/api/keda.api.md: missing.")]);
  writeApis(root, readApis(root));
  expect(readdirSync(join(root, "packages/queue/api"))).toEqual(["index.api.md", "keda.api.md"]);

  doors("queue", ".");
  expect(problems()).toEqual([expect.stringContaining("packages/queue/api/keda.api.md: no such door is public.")]);
  expect(writeApis(root, readApis(root))).toEqual(["packages/queue/api/keda.api.md"]);
  expect(existsSync(join(root, "packages/queue/api/keda.api.md"))).toBe(false);
});

test("a type that a signature names is exported by one of the doors, or listed", () => {
  write("packages/queue/src/entry.ts", "export interface Entry { readonly id: string }\n");
  write(
    "packages/queue/src/index.ts",
    'import type { Entry } from "./entry.ts";\nexport function put(entry: Entry): string { return entry.id; }\n',
  );
  writeApis(root, readApis(root));
  expect(problems()).toEqual([
    "Entry is part of a public signature and is not exported. Export it, or list it in scripts/api.ts.",
  ]);
  // Its shape is promised all the same.
  expect(readFileSync(join(root, "packages/queue/api/index.api.md"), "utf8")).toContain("readonly id: string;");
  expect(problems(["Entry"])).toEqual([]);

  write("packages/queue/src/types.ts", 'export type { Entry } from "./entry.ts";\n');
  doors("queue", ".", "./types");
  writeApis(root, readApis(root));
  expect(problems()).toEqual([]);
  expect(problems(["Entry"])).toEqual(["Entry need not be listed in scripts/api.ts. Remove it there."]);
});

test("a type that comes through a sibling's private door is one of its public names, or listed", () => {
  for (const name of ["consumer", "core"]) {
    write(
      `packages/${name}/tsconfig.build.json`,
      readFileSync(join(root, "packages/queue/tsconfig.build.json"), "utf8"),
    );
  }
  doors("core", ".", "./internal");
  doors("consumer", ".");
  write("packages/core/src/index.ts", "export type Id = string;\n");
  write("packages/core/src/internal.ts", "export type Id = string;\nexport type Wire = string;\n");
  const imports = 'import type { Id, Wire } from "@redis-batch/core/internal";\n';
  write("packages/consumer/src/index.ts", `${imports}export function read(id: Id): Wire { return id; }\n`);
  writeApis(root, readApis(root));
  expect(problems()).toEqual([
    "Wire is part of a public signature and is not exported. Export it, or list it in scripts/api.ts.",
  ]);
});

test("nothing has to be built: what an internal name is called may come from a sibling's sources", () => {
  write("packages/core/tsconfig.build.json", readFileSync(join(root, "packages/queue/tsconfig.build.json"), "utf8"));
  doors("core", ".", "./internal");
  write("packages/core/src/index.ts", "export type Id = string;\n");
  write("packages/core/src/internal.ts", 'export const HIDDEN: unique symbol = Symbol.for("hidden");\n');
  mkdirSync(join(root, "packages/queue/node_modules/@redis-batch"), { recursive: true });
  symlinkSync(join(root, "packages/core"), join(root, "packages/queue/node_modules/@redis-batch/core"));
  const method = "/** @internal */\n[HIDDEN](): number { return 1; }";
  write(
    "packages/queue/src/index.ts",
    `import { HIDDEN } from "@redis-batch/core/internal";\nexport class Queue {\n${method}\n}\n`,
  );
  writeApis(root, readApis(root));
  expect(readFileSync(join(root, "packages/queue/api/index.api.md"), "utf8")).not.toContain("HIDDEN");
  expect(problems()).toEqual([]);
});

test("what is odd about a public name is a problem", () => {
  write("packages/queue/src/index.ts", "export class Queue { set limit(value: number) { void value; } }\n");
  writeApis(root, readApis(root));
  expect(problems()).toEqual([expect.stringContaining('The property "limit" has a setter but no getter.')]);
});

function problems(allowed: readonly string[] = []): string[] {
  return apiProblems(root, readApis(root), allowed);
}

function doors(folder: string, ...names: readonly string[]): void {
  const exports = Object.fromEntries(
    names.map((name) => [name, { "@redis-batch/source": `./src/${name === "." ? "index" : name.slice(2)}.ts` }]),
  );
  write(`packages/${folder}/package.json`, {
    ...{ name: `@redis-batch/${folder}`, version: "0.0.0", type: "module" },
    // What is only here is for the workspace.
    exports: { ...exports, "./conformance": { "@redis-batch/source": "./test/conformance.ts" } },
    publishConfig: { exports },
  });
}

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}
