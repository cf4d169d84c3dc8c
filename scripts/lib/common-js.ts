// Some of what esbuild writes, which is always written alike: all imports, and one list of exports at the end.
const IMPORT = /^import \{([^}]*)\} from ("[^"]+");$/gm;
// Of a chunk that only another chunk needs: esbuild keeps the order in which modules are run.
const IMPORT_NOTHING = /^import ("\.[^"]+");$/gm;
const IMPORT_DEFAULT = /^import (\w+) from ("node:[^"]+");$/gm;
const EXPORT = /^export \{([^}]*)\};$/m;
const EXPORT_ALL = /^export \* from ("[^"]+");$/gm;
const RENAMED = /([\w$]+) as ([\w$]+)/g;

/**
 * An ES module that esbuild has written to `esm/` → the same as CommonJS, for the folder above. Line by line, so that the
 * source map holds for both.
 *
 * What is imported becomes constants: esbuild's own CommonJS looks each name up through two getters whenever it is used,
 * and has no chunks for what several entries share, but a copy of it in each.
 *
 * @param maps the folder of the source map, as seen from the CommonJS file
 */
export function toCommonJs(code: string, maps: string = "esm"): string {
  const all = [...code.matchAll(EXPORT_ALL)].map(([, from]) => `...require(${from}), `).join("");
  const converted = code
    .replace(EXPORT, (_, names: string) => `module.exports = {${all}${names.replaceAll(RENAMED, "$2: $1")}};`)
    .replaceAll(EXPORT_ALL, "")
    .replaceAll(IMPORT, (_, names: string, from: string) => {
      return `const {${names.replaceAll(RENAMED, "$1: $2")}} = require(${from});`;
    })
    .replaceAll(IMPORT_NOTHING, "require($1);")
    .replaceAll(IMPORT_DEFAULT, "const $1 = require($2);")
    // Jest's CommonJS has no import().
    .replaceAll(/\bimport\(("[^"]+")\)/g, "Promise.resolve().then(() => require($1))")
    .replaceAll(/(?<=require\("\.[^"]*)\.mjs(?="\))/g, ".js")
    .replace(/(?<=^\/\/# sourceMappingURL=)/m, `${maps}/`);
  const left = /^(?:import|export)\b.*|.*\bimport\.meta\b.*/m.exec(converted)?.[0];
  if (left !== undefined) throw new Error(`not among what toCommonJs() knows: ${left}`);
  return `"use strict";${converted}`;
}

/** The ES module that offers what a CommonJS one has, under the names of the ES module that it was made of. */
export function toDoor(code: string, from: string): string {
  const names = EXPORT.exec(code)?.[1]?.replaceAll(RENAMED, "$2") ?? "";
  const all = [...code.matchAll(EXPORT_ALL)].map(([line]) => `${line}\n`).join("");
  return `${all}export {${names}} from "${from}";\n`;
}
