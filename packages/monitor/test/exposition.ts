/** A strict reader of Prometheus' text format 0.0.4 and of OpenMetrics 1.0.0: what it accepts, Prometheus does. */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ReadSample[];
}

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** @throws {Error} naming the line that is not as it should be */
export function parseExposition(text: string, format: "text" | "openmetrics"): ReadFamily[] {
  if (Buffer.from(text, "utf8").toString("utf8") !== text) throw new Error("not UTF-8");
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("the last line is not # EOF");
  const families = new Map<string, { name: string; help: string; type: string; samples: ReadSample[] }>();
  const seen = new Set<string>();
  let current: { name: string; help: string; type: string; samples: ReadSample[] } | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of lines) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${JSON.stringify(line)}`);
    };
    if (line.startsWith("# HELP ")) {
      const [, name = "", escaped = ""] = /^# HELP (\S+) (.*)$/.exec(line) ?? fail("no HELP line");
      if (help !== undefined) fail("HELP without TYPE");
      help = { name, text: unescape(escaped, format === "openmetrics" ? '\\n"' : "\\n", fail) };
    } else if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = /^# TYPE (\S+) (gauge|counter)$/.exec(line) ?? fail("no TYPE line");
      if (families.has(name)) fail("a second TYPE");
      if (help?.name !== name) throw new Error(`TYPE without HELP: ${name}`);
      current = { name, help: help.text, type, samples: [] };
      families.set(name, current);
      help = undefined;
    } else if (current === undefined || help !== undefined) {
      fail("a sample outside of a family");
    } else {
      const sample = parseSample(line, fail);
      const suffix = format === "openmetrics" && current.type === "counter" ? "_total" : "";
      if (sample.name !== `${current.name}${suffix}`) fail(`a sample in the family ${current.name}`);
      if (format === "text" && current.type === "counter" && !sample.name.endsWith("_total")) fail("no counter name");
      const key = JSON.stringify([sample.name, Object.keys(sample.labels).toSorted(), Object.values(sample.labels)]);
      if (seen.has(key)) fail("the same series twice");
      seen.add(key);
      current.samples.push(sample);
    }
  }
  return [...families.values()];
}

function parseSample(line: string, fail: (why: string) => never): ReadSample {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match === null) return fail(`not ${pattern} at ${at}`);
    at = pattern.lastIndex;
    return match[0];
  };
  const name = take(METRIC_NAME);
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  if (line[at] === "{") {
    at++;
    for (;;) {
      const label = take(LABEL_NAME);
      if (label.startsWith("__")) fail("a reserved label name");
      if (label in labels) fail("the same label twice");
      take(/="/y);
      // As Prometheus' own lexer has it: neither NUL nor a raw quote.
      const raw = take(/(?:[^"\\\0]|\\.)*/y);
      labels[label] = unescape(raw, '\\n"', fail);
      if (take(/"[,}]/y) === '"}') break;
    }
  }
  take(/ /y);
  const number = line.slice(at);
  if (!NUMBER.test(number)) fail("not a finite number");
  return { name, labels, value: Number(number) };
}

function unescape(text: string, allowed: string, fail: (why: string) => never): string {
  return text.replaceAll(/\\(.?)/gs, (_, character: string) => {
    if (character === "" || !allowed.includes(character)) return fail(`an escape of ${JSON.stringify(character)}`);
    return character === "n" ? "\n" : character;
  });
}
