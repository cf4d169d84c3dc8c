/** Writes the reference of every public name, from the docstrings: a page for each door of each package. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Application, LogLevel, type ProjectReflection, type ReflectionSymbolId, type TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";
import { fixAnchors } from "./markdown.ts";
import { REFERENCE } from "./pages.ts";

/** What an application imports from. */
export interface Door {
  /** `"@redis-batch/scaler/keda"` */
  readonly name: string;
  /** The file, relative to the repository. */
  readonly source: string;
  /** The report of its names (`pnpm api`), relative to the repository. */
  readonly report: string;
}

/** Every door that is for applications: those with a report. What others stand on comes first. */
export function publicDoors(root: string): readonly Door[] {
  const homes = readdirSync(join(root, "packages")).toSorted((a, b) => Number(b === "core") - Number(a === "core"));
  return homes.flatMap((folder) => {
    const home = `packages/${folder}`;
    if (!existsSync(join(root, home, "api"))) return [];
    const { name } = JSON.parse(readFileSync(join(root, home, "package.json"), "utf8")) as { name: string };
    return readdirSync(join(root, home, "api"))
      .filter((file) => file.endsWith(".api.md"))
      .map((file) => {
        const door = file.replace(/\.api\.md$/, "");
        return {
          name: door === "index" ? name : `${name}/${door}`,
          source: `${home}/src/${door}.ts`,
          report: `${home}/api/${file}`,
        };
      });
  });
}

/** @throws {Error} when the sources cannot be read */
export async function writeReference(root: string, folder: string): Promise<void> {
  const doors = publicDoors(root);
  const sources = doors.map(({ source }) => join(root, source));
  const tsconfig = join(folder, "tsconfig.json");
  mkdirSync(folder, { recursive: true });
  writeFileSync(tsconfig, JSON.stringify({ extends: join(root, "tsconfig.base.json"), files: sources }));
  const options: TypeDocOptions & Partial<PluginOptions> = {
    ...{ plugin: ["typedoc-plugin-markdown"], name: "API reference", readme: "none", logLevel: LogLevel.Error },
    ...{ entryPoints: sources, tsconfig, entryFileName: "index.md" },
    ...{ disableGit: true, disableSources: true, githubPages: false, cleanOutputDir: false, skipErrorChecking: true },
    ...{ excludePrivate: true, excludeProtected: true, excludeInternal: true, sort: ["alphabetical"] },
    ...{ router: "module", hideBreadcrumbs: true, hidePageHeader: true, useCodeBlocks: true },
    ...{ parametersFormat: "table", interfacePropertiesFormat: "table", typeDeclarationFormat: "table" },
  };
  const application = await Application.bootstrapWithPlugins(options);
  const project = await application.convert();
  if (project === undefined) throw new Error("the reference cannot be made: see above");
  nameDoors(project, doors);
  // By name, because the default would write into docs/ and remove all that is there first.
  await application.outputs.writeOutput({ name: "markdown", path: join(folder, REFERENCE) }, project);
  fixLinks(join(folder, REFERENCE));
}

function fixLinks(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".md"));
  const pages = new Map(files.map((file) => [file, readFileSync(join(folder, file), "utf8")]));
  for (const [file, markdown] of fixAnchors(pages)) writeFileSync(join(folder, file), markdown);
}

/** The generator would name them after their files, and several files of one name would be one page. */
function nameDoors(project: ProjectReflection, doors: readonly Door[]): void {
  for (const child of project.children ?? []) {
    const id = project.getSymbolIdFromReflection(child);
    const door = doors.find(({ source }) => id !== undefined && source === sourceOf(id));
    if (door === undefined) throw new Error(`${child.name} is no door of ours: ${JSON.stringify(id)}`);
    child.name = door.name;
  }
}

function sourceOf({ packageName, packagePath }: ReflectionSymbolId): string {
  return `packages/${packageName.replace(/^@redis-batch\//, "")}/${packagePath}`;
}
