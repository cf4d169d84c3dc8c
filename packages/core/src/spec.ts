/**
 * The door to the options of this package as data. It is only open in the workspace: the command line is built with what it
 * needs of them, and so are the READMEs' tables.
 */
export * from "./dead-letters/spec.ts";
export * from "./producer/spec.ts";
