// A line chart over a Past, on uPlot. Its text alternative is the caller's
// summary, which is also shown under it to everybody.
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { hourMinute } from "./format";
import { theme } from "./theme";
import type { Num, Past } from "./model";

// All charts of a tick are drawn in one frame. Of many at once each frame draws
// those that have waited longest, the rest come with the next tick: of twenty, each
// is drawn every three to four seconds. The page itself has two.
const AT_ONCE = 6;
const waiting = new Map<() => void, number>();
let frame = 0, turn = 0;

/** ask has a chart drawn in the next frame; sooner is for what must not wait. */
function ask(draw: () => void, sooner = false): void {
  if (sooner) waiting.set(draw, -1);
  else if (!waiting.has(draw)) waiting.set(draw, ++turn);
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    const first = [...waiting].sort((a, b) => a[1] - b[1]);
    first.forEach(([d, at], i) => { if (at < 0 || i < AT_ONCE) { waiting.delete(d); d(); } });
  });
}

/** every is how many seconds pass until a chart moves by a pixel: so often it is
 *  drawn, and each five seconds at the least. Its numbers change each second all
 *  the same, and a jump or a verdict that turns is drawn at once. */
const every = (span: number, width: number): number => Math.min(5, Math.ceil(span / Math.max(1, width)));

// Times are the same for all charts of one past: made once a tick.
let xs = new Float64Array(0), xsOf = "";
function times(p: Past): Float64Array {
  const n = p.rate.length, of = `${p.end} ${p.step} ${n}`;
  if (of !== xsOf) {
    if (xs.length !== n) xs = new Float64Array(n);
    for (let i = 0, first = p.end - (n - 1) * p.step; i < n; i++) xs[i] = first + i * p.step;
    xsOf = of;
  }
  return xs;
}

let slots = 0; // charts take turns

/** jumped: the newest value is off the drawn one by what an eye would miss. */
function jumped(u: uPlot | undefined, was: Num, now: Num): boolean {
  const top = u?.scales["y"]?.max ?? 0;
  return (was === null) !== (now === null) || was !== null && now !== null && Math.abs(now - was) > 0.05 * top;
}

export interface Line { name: string; color: string; width?: number; dash?: number[]; fill?: boolean }

// Colours are asked for once a theme: each question makes the browser work out
// styles anew, and a chart asks ten times a tick.
let asked = new Map<string, string>(), askedFor = "";
function css(name: string): string {
  if (askedFor !== theme.value) { asked = new Map(); askedFor = theme.value; }
  let v = asked.get(name);
  if (v === undefined) asked.set(name, v = getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return v;
}

/** verdictGround paints what the verdict was behind the lines: a tint, and for
 *  attack and mixed a hatching, so that it is seen without colour. */
function verdictGround(u: uPlot, past: () => Past): void {
  const p = past(), { ctx, bbox } = u, v = p.verdict;
  if (!v.length) return;
  const first = p.end - (v.length - 1) * p.step;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (let i = 0; i < v.length;) {
    let j = i + 1;
    while (j < v.length && v[j] === v[i]) j++;
    const state = v[i]!;
    if (state >= 2) {
      const x0 = u.valToPos(first + (i - 0.5) * p.step, "x", true), x1 = u.valToPos(first + (j - 0.5) * p.step, "x", true);
      ctx.fillStyle = ctx.strokeStyle = css(state === 4 ? "--attack" : state === 3 ? "--mixed" : "--crowd");
      ctx.globalAlpha = 0.16;
      ctx.fillRect(x0, bbox.top, x1 - x0, bbox.height);
      if (state >= 3) hatch(ctx, x0, x1, bbox.top, bbox.height, state === 3);
    }
    i = j;
  }
  ctx.restore();
}

const tiles = new Map<string, CanvasPattern | null>();

/** hatch fills with a tile that is drawn once a colour: strokes across the whole
 *  plot were the dearest thing on a chart. */
function hatch(ctx: CanvasRenderingContext2D, x0: number, x1: number, top: number, height: number, crossed: boolean): void {
  const key = `${ctx.strokeStyle as string} ${crossed} ${devicePixelRatio}`;
  let tile = tiles.get(key);
  if (tile === undefined) {
    const n = Math.round(12 * devicePixelRatio), c = document.createElement("canvas"), t = c.getContext("2d")!;
    c.width = c.height = n;
    t.strokeStyle = ctx.strokeStyle;
    t.lineWidth = devicePixelRatio;
    t.beginPath();
    for (const at of [-n, 0, n]) { // the corners too, so that tiles join
      t.moveTo(at, n); t.lineTo(at + n, 0);
      if (crossed) { t.moveTo(at, 0); t.lineTo(at + n, n); }
    }
    t.stroke();
    tiles.set(key, tile = ctx.createPattern(c, "repeat"));
  }
  if (!tile) return;
  ctx.globalAlpha = 0.3;
  ctx.fillStyle = tile;
  ctx.fillRect(x0, top, x1 - x0, height);
}

// The axis is labelled by the minute: two ticks within one would read the same.
const wholeMinutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map((m) => m * 60);

export function Chart(props: { title: string; past: Past; seq: number; lines: Line[]; data: (p: Past) => Num[][]; newest: Num; floor?: number; format: (v: number) => string; summary: string; ground?: boolean }) {
  const box = useRef<HTMLDivElement>(null), chart = useRef<uPlot | undefined>(undefined), latest = useRef(props), past = useRef(props.past), visible = useRef(true), drawn = useRef<Num>(null), slot = useRef(++slots);
  latest.current = props;
  const look = theme.value;

  // One function for the chart's life: it is what waits for its turn.
  const draw = useRef((): void => {
    const u = chart.current, p = latest.current.past;
    if (!u || document.hidden || !visible.current) return;
    // A room that has just opened shows a third of the time, until there is more.
    const whole = p.step === 1 ? 900 : 360, from = p.end - (Math.min(whole, Math.max(whole / 3, p.rate.length)) - 1) * p.step;
    drawn.current = latest.current.newest;
    u.batch(() => {
      // Not the scales of old and then of new: y is worked out once, when x is set.
      u.setData([times(p), ...latest.current.data(p)] as uPlot.AlignedData, false);
      u.setScale("x", { min: from, max: Math.max(p.end, from + 1) });
    });
  }).current;

  useEffect(() => {
    const el = box.current!;
    const size = () => ({ width: Math.max(80, el.clientWidth), height: Math.max(60, el.clientHeight) });
    const axis = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false }, gap: 7, font: `${css("--axis")} system-ui, sans-serif` };
    const px = parseInt(css("--axis"), 10) || 12;
    const u = new uPlot({
      ...size(),
      legend: { show: false }, cursor: { show: false, drag: { x: false, y: false } },
      padding: [8, 8, 0, 0],
      scales: { x: { time: true }, y: { range: (_u, _lo, hi) => [0, Math.max(hi * 1.08, latest.current.floor ?? 0) || 1] } },
      axes: [
        { ...axis, size: px * 2 + 4, space: px * 7, incrs: wholeMinutes, values: (_u, ticks) => ticks.map(hourMinute) },
        { ...axis, size: px * 4.5, space: px * 2.6, values: (_u, ticks) => ticks.map((v) => latest.current.format(v)) },
      ],
      series: [{}, ...props.lines.map((l): uPlot.Series => ({
        label: l.name, stroke: () => css(l.color), width: l.width ?? 2, points: { show: false }, spanGaps: false,
        ...(l.dash ? { dash: l.dash } : {}), ...(l.fill ? { fill: () => css(l.color) + "22" } : {}),
      }))],
      hooks: { drawClear: props.ground ? [(u) => verdictGround(u, () => latest.current.past)] : [] },
    }, [[], ...props.lines.map(() => [])] as unknown as uPlot.AlignedData, el);
    chart.current = u;
    ask(draw, true);
    const seen = new ResizeObserver(() => u.setSize(size()));
    seen.observe(el);
    // A chart that is scrolled out of sight draws when it comes back.
    const sight = new IntersectionObserver((e) => { visible.current = e.at(-1)!.isIntersecting; ask(draw, true); });
    sight.observe(el);
    return () => { waiting.delete(draw); seen.disconnect(); sight.disconnect(); u.destroy(); chart.current = undefined; };
  }, [look]);

  // A verdict that turns, and another time, are not kept waiting.
  const state = `${props.past.verdict.at(-1)} ${props.past.step}`, was = useRef(state);
  // Before the paint: the text of a tick and its charts are one frame.
  useLayoutEffect(() => {
    const turned = was.current !== state, u = chart.current, wait = every(props.past.step === 1 ? 900 : 21_600, u?.width ?? 900);
    was.current = state;
    if (turned || props.past !== past.current) ask(draw, true);
    else if ((props.past.end + slot.current) % wait === 0 || jumped(u, drawn.current, props.newest)) ask(draw);
    past.current = props.past;
  }, [props.seq, props.past]);

  const keys = useMemo(() => props.lines.map((l) => <span class="key"><i style={{ borderTopColor: `var(${l.color})`, borderTopStyle: l.dash ? "dashed" : "solid" }} />{l.name}</span>), [props.lines.map((l) => l.name).join()]);
  return (
    <figure class="chart">
      <div class="plot" ref={box} role="img" aria-label={props.title + ". " + props.summary} />
      <figcaption>
        {keys}
        <span class="summary">{props.summary}</span>
      </figcaption>
    </figure>
  );
}
