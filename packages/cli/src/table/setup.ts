import { defineCommand } from "../command-line/spec.ts";

export const acl = defineCommand({
  path: ["acl"],
  summary: "Print the ACL rules that a role needs",
  about: [
    "The rules are for one stream, or for several with commas between: a consumer of several needs one rule more, to read them with one command. Each group of commands stands in a selector, in parentheses, with the keys that it may touch. No rule lets a role delete or overwrite the stream or its dead letters.",
    'What deletes or reads messages is only granted with --with. A consumer: delete (onAck: "delete"), xackdel (the same with XACKDEL, only on Redis 8.2 and later). A monitor: pause, trim. A scaler: payloads (counts the messages when the server does not know the lag). Dead letters: discard, redrive, add, import. Groups: settle (single messages). A dashboard: payloads, discard, redrive, add.',
  ],
  args: [
    {
      name: "role",
      about: "the role",
      choices: ["producer", "consumer", "monitor", "scaler", "dead-letters", "groups", "dashboard"],
    },
    {
      name: "streams",
      isName: true,
      isList: true,
      about: "the stream's key, or those of several streams with commas between; a comma of a key is typed \\x2c",
    },
  ],
  options: {
    least: { kind: "flag", about: "only what it needs in a group that exists" },
    with: { kind: "text", value: "names", about: "also what is only granted on request, separated by commas" },
    cluster: { kind: "flag", about: "also what a client of a Redis Cluster needs" },
    partitioned: { kind: "flag", about: "for a stream with partitions: patterns that match each of them" },
    name: { kind: "text", value: "user", about: "print the complete ACL SETUSER command for this user" },
    "acl-file": { kind: "flag", about: "print a line for the server's ACL file" },
  },
  examples: [
    { line: "redis-batch acl consumer orders", does: "the rules" },
    {
      line: "redis-batch acl consumer orders --name billing",
      does: "as a command; add the password yourself",
    },
    { line: "redis-batch acl consumer orders --with delete --cluster", does: 'onAck: "delete" on a Redis Cluster' },
    { line: "redis-batch acl dead-letters orders --name ops --acl-file", does: "a line for users.acl" },
  ],
  connects: false,
});

export const contextAdd = defineCommand({
  path: ["context", "add"],
  summary: "Save a connection under a name",
  about: [
    "Saves the connection's options, but never a password: only the file, the environment variable or the terminal to read it from. The first context becomes the current one.",
  ],
  args: [{ name: "name", about: "the context's name" }],
  options: {
    "password-env": { kind: "text", value: "variable", about: "environment variable to read the password from" },
    force: { kind: "flag", about: "replace a context of the same name" },
  },
  examples: [
    { line: "redis-batch context add local --url redis://localhost:6379", does: "a server of your own" },
    {
      line: "redis-batch context add prod --url rediss://app@redis.example:6380 --password-env PROD_REDIS",
      does: "TLS, an ACL user",
    },
    {
      line: "redis-batch context add ha --url redis+sentinel://a,b:26380/orders",
      does: "found through Sentinels",
    },
  ],
  connects: true,
});

export const contextUse = defineCommand({
  path: ["context", "use"],
  summary: "Make a context the current one",
  args: [{ name: "name", about: "the context's name" }],
  options: {},
  examples: [{ line: "redis-batch context use prod", does: "use it from now on" }],
  connects: false,
});

export const contextList = defineCommand({
  path: ["context", "list"],
  summary: "List the saved contexts",
  args: [],
  options: {},
  examples: [{ line: "redis-batch context list", does: "all contexts, and which one is current" }],
  connects: false,
});

export const contextRemove = defineCommand({
  path: ["context", "remove"],
  summary: "Delete a context",
  args: [{ name: "name", about: "the context's name" }],
  options: {},
  examples: [{ line: "redis-batch context remove local", does: "delete the name and the address" }],
  connects: false,
});

export const completion = defineCommand({
  path: ["completion"],
  summary: "Print a shell's completion script",
  args: [{ name: "shell", about: "the shell", choices: ["bash", "zsh", "fish"] }],
  options: {},
  examples: [
    { line: "redis-batch completion bash > ~/.local/share/bash-completion/completions/redis-batch", does: "bash" },
    { line: 'redis-batch completion zsh > "${fpath[1]}/_redis-batch"', does: "zsh" },
    { line: "redis-batch completion fish > ~/.config/fish/completions/redis-batch.fish", does: "fish" },
  ],
  connects: false,
});

export const completionNames = defineCommand({
  path: ["completion", "names"],
  summary: "Print the names of streams, groups or contexts, for completion",
  about: [
    "The completion scripts call it. Prints a name per line, up to a thousand, without those that a shell would have to quote; nothing if the server does not answer within a second. It always exits with 0.",
  ],
  args: [
    { name: "kind", about: "what to list", choices: ["stream", "group", "context"] },
    { name: "of", isName: true, optional: true, about: "the stream whose groups are listed" },
  ],
  options: {},
  examples: [{ line: "redis-batch completion names group orders", does: "the groups of orders" }],
  connects: true,
});

export const reference = defineCommand({
  path: ["reference"],
  summary: "Print the reference of all commands, in Markdown",
  args: [],
  options: {},
  examples: [{ line: "redis-batch reference > cli.md", does: "this page" }],
  connects: false,
});
