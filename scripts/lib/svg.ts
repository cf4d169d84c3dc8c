/** Writes SVG: elements as text, everything that is not ours escaped. */

type Attributes = Readonly<Record<string, string | number>>;

/** An element; its children are SVG already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(`${value}`)}"`);
  const content = children.join("");
  return content === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${content}</${name}>`;
}

/** Text at a place. */
export function label(text: string, attributes: Attributes): string {
  return element("text", attributes, escapeText(text));
}

/** A line that keeps each value until the next point. */
export function stepPath(points: readonly (readonly [x: number, y: number])[]): string {
  return points
    .map(([x, y], index) => (index === 0 ? `M${short(x)} ${short(y)}` : `H${short(x)}V${short(y)}`))
    .join("");
}

/** A whole picture. Its colours follow the reader's light or dark surroundings. */
export function picture(width: number, height: number, title: string, style: string, ...children: string[]): string {
  return `${element(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img" },
    element("title", {}, escapeText(title)),
    element("style", {}, style),
    ...children,
  )}\n`;
}

function short(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}

function escapeText(text: string): string {
  const written = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" } as const;
  return text.replaceAll(/[&<>"']/g, (letter) => written[letter as keyof typeof written]);
}
