import { expect, it } from "vitest";
import { toCommonJs, toDoor } from "./common-js.ts";

// Not in one piece, because it would be read as this file's own.
const SOURCE_MAP = ["//# source", "MappingURL="].join("");

const MODULE = `import {
  Command as Command2,
  Redis
} from "ioredis";
import zlib from "node:zlib";

// packages/core/src/a.ts
import { shared } from "./chunk-A1.mjs";
import "./chunk-B2.mjs";
var a = async () => [await import("@grpc/grpc-js"), zlib, Redis, Command2, shared];
var folder = "proto";

// packages/core/src/index.ts
export * from "@redis-batch/core";
export {
  a,
  folder as FOLDER
};
${SOURCE_MAP}index.mjs.map
`;

it("an ES module becomes CommonJS, each line in its place", () => {
  const converted = toCommonJs(MODULE);
  expect(converted).toBe(`"use strict";const {
  Command: Command2,
  Redis
} = require("ioredis");
const zlib = require("node:zlib");

// packages/core/src/a.ts
const { shared } = require("./chunk-A1.js");
require("./chunk-B2.js");
var a = async () => [await Promise.resolve().then(() => require("@grpc/grpc-js")), zlib, Redis, Command2, shared];
var folder = "proto";

// packages/core/src/index.ts

module.exports = {...require("@redis-batch/core"), 
  a,
  FOLDER: folder
};
${SOURCE_MAP}esm/index.mjs.map
`);
  expect(converted.split("\n")).toHaveLength(MODULE.split("\n").length);
});

it("a module in a folder of its own finds its source map", () => {
  const converted = toCommonJs(`export {\n  a\n};\n${SOURCE_MAP}names.mjs.map\n`, "../esm/internal");
  expect(converted).toContain(`\n${SOURCE_MAP}../esm/internal/names.mjs.map\n`);
});

it("the door names everything that is behind it", () => {
  expect(toDoor(MODULE, "./index.js")).toBe(
    'export * from "@redis-batch/core";\nexport {\n  a,\n  FOLDER\n} from "./index.js";\n',
  );
});

it.each(['import * as all from "ioredis";', "export default 1;", "var path = import.meta.url;"])(
  "what it does not know is refused rather than left: %s",
  (line) => {
    expect(() => toCommonJs(line)).toThrow(line);
  },
);
