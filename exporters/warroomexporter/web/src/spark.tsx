// A small chart of the drill-down: SVG, since a handful of sixty points that change
// each few seconds needs no canvas, and prints as it stands.
import { amount, count, hourMinute, percent, seconds } from "./format";
import type { Num } from "./model";

export interface SparkChart { title: string; unit: string; end: number; step: number; lines: { name: string; values: Num[] }[] }

export function told(v: Num | undefined, unit: string): string {
  if (v === null || v === undefined) return "–";
  switch (unit) {
    case "1": return percent(v);
    case "By": return amount(v, "By");
    case "By/s": return amount(v, "By") + "/s";
    case "s": return seconds(v);
    case "{cpu}": return count(v) + (v === 1 ? " core" : " cores");
    case "{request}/s": case "{error}/s": return count(v) + "/s";
  }
  return count(v);
}

const colors = ["--line1", "--line2", "--line3"], dashes = ["", "6 4", "2 3"];
const high = 44;

function path(values: Num[], top: number): string {
  let d = "", pen = false;
  values.forEach((v, i) => {
    if (v === null) { pen = false; return; }
    d += (pen ? "L" : "M") + i + " " + (high - high * Math.min(1, v / top)).toFixed(1) + (pen || values[i + 1] !== null && i + 1 < values.length ? "" : "h.5");
    pen = true;
  });
  return d;
}

export function Spark({ c }: { c: SparkChart }) {
  const all = c.lines.flatMap((l) => l.values.filter((v): v is number => v !== null));
  const top = (all.reduce((a, b) => Math.max(a, b), 0) || 1) * 1.05, n = c.lines[0]?.values.length ?? 2;
  const first = c.lines[0]?.values.filter((v): v is number => v !== null) ?? [];
  const low = first.reduce((a, b) => Math.min(a, b), Infinity), most = first.reduce((a, b) => Math.max(a, b), 0);
  const now = c.lines[0]?.values.at(-1);
  const summary = `${told(now, c.unit)} now${first.length ? `; between ${told(low, c.unit)} and ${told(most, c.unit)} since ${hourMinute(c.end - (n - 1) * c.step)}` : ""}`;
  return (
    <figure class="spark">
      <figcaption><span>{c.title}</span><b>{told(now, c.unit)}</b></figcaption>
      <svg viewBox={`0 0 ${n - 1} ${high}`} preserveAspectRatio="none" role="img" aria-label={`${c.title}: ${summary}.`}>
        {c.lines.map((l, i) => <path d={path(l.values, top)} style={{ stroke: `var(${colors[i % 3]})`, strokeDasharray: dashes[i % 3]! }} />)}
      </svg>
      <small>{c.lines.map((l, i) => <span class="key"><i style={{ borderTopColor: `var(${colors[i % 3]})`, borderTopStyle: i ? "dashed" : "solid" }} />{l.name}{i ? " " + told(l.values.at(-1), c.unit) : ""}</span>)}</small>
    </figure>
  );
}
