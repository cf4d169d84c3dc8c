import { defineCommand } from "../command-line/spec.ts";

export const acl = defineCommand({
  path: ["acl"],
  summary: "Print the least rights that a role needs",
  args: [
    {
      name: "role",
      about: "who it is for",
      choices: ["producer", "consumer", "monitor", "scaler", "dead-letters", "groups"],
    },
    { name: "stream", isName: true, about: "the stream's key" },
  ],
  options: {
    least: { kind: "flag", about: "only what it cannot work without" },
    name: { kind: "text", value: "user", about: "print the whole ACL SETUSER command for this user" },
  },
  examples: [
    { line: "redis-batch acl consumer orders", does: "the rule" },
    {
      line: "redis-batch acl consumer orders --name billing",
      does: "as a command; the password is left for you to add",
    },
  ],
  connects: false,
});

export const contextAdd = defineCommand({
  path: ["context", "add"],
  summary: "Save where a server is, under a name",
  about: [
    "The connection's options are saved, and no password: only the file, the environment variable or the terminal that it is taken from. The first context becomes the current one.",
  ],
  args: [{ name: "name", about: "the context's name" }],
  options: {
    "password-env": { kind: "text", value: "variable", about: "take the password from this environment variable" },
    force: { kind: "flag", about: "replace one of the same name" },
  },
  examples: [
    { line: "redis-batch context add local --url redis://localhost:6379", does: "a server of your own" },
    {
      line: "redis-batch context add prod --url rediss://app@redis.example:6380 --password-env PROD_REDIS",
      does: "TLS, an ACL user",
    },
    { line: "redis-batch context add ha --sentinel a:26379,b:26379 --sentinel-name orders", does: "by Sentinels" },
  ],
  connects: true,
});

export const contextUse = defineCommand({
  path: ["context", "use"],
  summary: "Make a context the current one",
  args: [{ name: "name", about: "the context's name" }],
  options: {},
  examples: [{ line: "redis-batch context use prod", does: "from now on" }],
  connects: false,
});

export const contextList = defineCommand({
  path: ["context", "list"],
  summary: "List the saved contexts",
  args: [],
  options: {},
  examples: [{ line: "redis-batch context list", does: "which there are, and which is the current one" }],
  connects: false,
});

export const contextRemove = defineCommand({
  path: ["context", "remove"],
  summary: "Forget a context",
  args: [{ name: "name", about: "the context's name" }],
  options: {},
  examples: [{ line: "redis-batch context remove local", does: "its name and address" }],
  connects: false,
});

export const completion = defineCommand({
  path: ["completion"],
  summary: "Print the completion script of a shell",
  args: [{ name: "shell", about: "the shell", choices: ["bash", "zsh", "fish"] }],
  options: {},
  examples: [
    { line: "redis-batch completion bash > ~/.local/share/bash-completion/completions/redis-batch", does: "bash" },
    { line: 'redis-batch completion zsh > "${fpath[1]}/_redis-batch"', does: "zsh" },
    { line: "redis-batch completion fish > ~/.config/fish/completions/redis-batch.fish", does: "fish" },
  ],
  connects: false,
});

export const reference = defineCommand({
  path: ["reference"],
  summary: "Print the reference of all commands, in Markdown",
  args: [],
  options: {},
  examples: [{ line: "redis-batch reference > cli.md", does: "this page" }],
  connects: false,
});
