/** Every page of the documentation site: where its text is, its address, and its place in the menu. */

/** A page made from a Markdown file of the repository. The text stays there; the site has no copy that somebody keeps. */
export interface Page {
  /** Its address on the site, without a leading slash: `"write/consumer"`. */
  readonly route: string;
  /** In the menu. */
  readonly title: string;
  /** The file, relative to the repository. */
  readonly source: string;
  /** Only these sections of the file, by their headings; by default the whole file. */
  readonly sections?: readonly string[];
}

/** Pages under one title in the menu. */
export interface Group {
  readonly title: string;
  readonly pages: readonly Page[];
}

const page = (route: string, title: string, source: string, sections?: readonly string[]): Page => ({
  ...{ route, title, source },
  ...(sections === undefined ? {} : { sections }),
});

export const GROUPS: readonly Group[] = [
  {
    title: "Start",
    pages: [
      page("start/first-success", "First success in two minutes", "README.md", ["Try it", "Use it"]),
      page("start/why", "Why, and why not", "docs/why.md"),
      page("start/concepts", "Concepts", "docs/concepts.md"),
      page("start/packages", "Packages", "README.md", ["Packages"]),
    ],
  },
  {
    title: "Write",
    pages: [
      page("write/consumer", "Consumer", "packages/consumer/README.md"),
      page("write/producer", "Producer, codecs, dead letters", "packages/core/README.md"),
      page("write/partitions", "Partitions", "docs/partitions.md"),
      page("write/testing", "Testing", "packages/testing/README.md"),
      page("write/recipes", "Recipes", "docs/recipes.md"),
      page("write/examples", "Running the examples", "examples/README.md"),
      page("write/tracing", "Traces and logs", "docs/tracing.md"),
      page("write/opentelemetry", "OpenTelemetry", "packages/opentelemetry/README.md"),
      page("write/example-worker", "The example worker", "apps/example-worker/README.md"),
    ],
  },
  {
    title: "Operate",
    pages: [
      page("operate/cli", "Command line", "packages/cli/README.md"),
      page("operate/commands", "Every command", "docs/cli.md"),
      page("operate/monitor", "Monitor", "packages/monitor/README.md"),
      page("operate/dashboard", "Dashboard", "packages/dashboard/README.md"),
      page("operate/scaler", "Scaler", "packages/scaler/README.md"),
      page("operate/how-many", "How many consumers", "docs/scaling.md"),
      page("operate/simulator", "Simulator", "packages/simulator/README.md"),
      page("operate/handles", "On call: what you can do", "docs/handles.md"),
      page("operate/metrics", "Metrics", "docs/metrics.md"),
      page("operate/alerts", "Alerts", "docs/alerts.md"),
      page("operate/kubernetes", "Kubernetes", "docs/kubernetes.md"),
    ],
  },
  {
    title: "Connect",
    pages: [
      page("connect/servers", "Connecting", "docs/connecting.md"),
      page("connect/credentials", "Credentials that change", "docs/connecting-credentials.md"),
      page("connect/rights", "Rights", "docs/rights.md"),
      page("connect/security", "Security", "SECURITY.md"),
    ],
  },
  {
    title: "Rely on",
    pages: [
      page("rely/guarantees", "Guarantees", "docs/guarantees.md"),
      page("rely/durability", "Durability", "docs/durability.md"),
      page("rely/limits", "Limits", "docs/limits.md"),
      page("rely/support", "What it runs on", "docs/support.md"),
      page("rely/performance", "Performance", "docs/performance.md"),
      page("rely/benchmarks", "Benchmarks", "docs/benchmarks.md"),
      page("rely/how-to-measure", "How we measure", "benchmarks/README.md"),
      page("rely/chaos", "Chaos", "chaos/README.md"),
    ],
  },
  {
    title: "Migrate",
    pages: [
      page("migrate/loop", "From a loop of your own", "docs/migrating-from-a-loop.md"),
      page("migrate/bullmq", "From BullMQ", "docs/migrating-from-bullmq.md"),
      page("migrate/python", "From the Python original", "docs/migrating-from-python.md"),
      page("migrate/languages", "Beside other languages", "docs/other-languages.md"),
    ],
  },
  {
    title: "Look up",
    pages: [
      page("look-up/troubleshooting", "Troubleshooting", "docs/troubleshooting.md"),
      page("look-up/errors", "Errors", "docs/errors.md"),
      page("look-up/events", "Events", "docs/events.md"),
      page("look-up/glossary", "Glossary", "CONTRIBUTING.md", ["Glossary"]),
      page("look-up/contributing", "Contributing", "CONTRIBUTING.md"),
      page("look-up/test-support", "Test servers", "packages/test-support/README.md"),
    ],
  },
];

/** The folder of the decisions: a page for each file in it, and one that lists them. */
export const DECISIONS = { folder: "docs/adr", route: "decisions" } as const;
/** The folder of the programs to copy: a page for each file, with its source. */
export const EXAMPLES = { folder: "examples/src", route: "write/recipe" } as const;
/** The folder of the reference, on the site. */
export const REFERENCE = "reference";

/** The front page. */
export const FRONT = page("index", "Redis Batch", "docs/site/front.md");

/** The pages in the menu, in its order. */
export const PAGES: readonly Page[] = GROUPS.flatMap(({ pages }) => pages);
