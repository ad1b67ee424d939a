// Bands 2 and 3: how many came, and what they feel.
import { Band } from "./band";
import { Chart } from "./chart";
import { range, service, shown, shownRoutes, tv, type Num, type Past } from "./model";
import { count, percent, seconds } from "./format";

const past = (): Past | undefined => (range.value === "15m" ? shown.value?.seconds : shown.value?.minutes);

function Range() {
  if (tv) return <span class="quiet">last 15 min, all services</span>;
  return (
    <span class="range" role="group" aria-label="Time range">
      {(["15m", "6h"] as const).map((r) => <button type="button" aria-pressed={range.value === r} class={range.value === r ? "on" : ""} onClick={() => { range.value = r; }}>{r === "15m" ? "15 min" : "6 h"}</button>)}
    </span>
  );
}

/** change is the rate now against a minute ago. */
function change(p: Past | undefined): Num {
  if (!p) return null;
  const now = p.rate.at(-1), then = p.rate.at(p.step === 1 ? -61 : -2);
  return now === null || now === undefined || !then ? null : now / then - 1;
}

export function DemandBand() {
  const v = shown.value!;
  const row = v.services.find((s) => s.service === service.value) ?? v.whole;
  const delta = service.value ? null : change(v.seconds);
  const factor = v.status.event?.factor ?? 1;
  return (
    <Band n={2} title="Demand" cls="demand" aside={<Range />}>
      <div class="figures">
        <Figure label={tv ? "requests/s" : "requests a second"} value={count(row.rate)} />
        <Figure label="expected" value={count(row.expected)} note={factor > 1 ? `up to ${count(row.expected === null ? null : row.expected * factor)} for the event` : row.expected === null ? "no baseline yet" : ""} />
        <Figure label={tv ? "in a min" : "change in a minute"} value={delta === null ? "–" : (delta >= 0 ? "+" : "−") + percent(Math.abs(delta))} />
        <Figure label={tv ? "clients" : "clients in 10 s"} value={count(row.clients)} note={v.status.event?.expected_audience ? count(v.status.event.expected_audience) + " expected at the event" : ""} />
        {!tv && v.pain?.sign_ins && <Figure label="sign-ins a second" value={count(v.pain.sign_ins.rate)} note={percent(1 - (v.pain.sign_ins.failed ?? 0)) + " succeed"} cls={(v.pain.sign_ins.failed ?? 0) > 0.5 ? "warn" : ""} />}
      </div>
      <DemandChart />
      {!tv && routes}
    </Band>
  );
}

// What a chart draws beside the columns of the past is made once a tick, however
// many charts show it.
let madeAt = -1, madeOf: Past | undefined, made = new Map<string, unknown>();
function once<T>(p: Past, seq: number, what: string, make: () => T): T {
  if (seq !== madeAt || p !== madeOf) { madeAt = seq; madeOf = p; made = new Map(); }
  if (!made.has(what)) made.set(what, make());
  return made.get(what) as T;
}

const requestLine = { name: "requests/s", color: "--line1", fill: true }, expectedLine = { name: "expected", color: "--line2", dash: [8, 5] };
const usual = [requestLine, expectedLine], announced = [...usual, { name: "no surprise up to", color: "--line3", dash: [2, 4] }];
const shareLine = [{ name: "share of errors (4xx, 5xx)", color: "--line4", fill: true }];

/** Routes is what people ask for, where spans tell it. */
function Routes() {
  const rows = shownRoutes.value;
  return rows?.length ? (
    <table>
      <thead><tr><th>Route</th><th class="n">A second</th><th class="n">Failed</th></tr></thead>
      <tbody>{rows.map((r) => <tr key={r.route}><td class="who"><bdi>{r.route}</bdi></td><td class="n">{count(r.rate)}</td><td class="n">{percent(r.failed)}</td></tr>)}</tbody>
    </table>
  ) : null;
}
const routes = <Routes />;

export function DemandChart() {
  const v = shown.value!, p = past(), factor = v.status.event?.factor ?? 1;
  return p ? (
    <Chart title="Requests a second, all services" past={p} seq={v.seq} newest={p.rate.at(-1) ?? null} ground format={count}
      lines={factor > 1 ? announced : usual} key={factor > 1 ? "announced" : "usual"}
      data={(q) => (factor > 1 ? [q.rate, q.expected, once(q, v.seq, "factor" + factor, () => q.expected.map((e) => (e === null ? null : e * factor)))] : [q.rate, q.expected])}
      summary={once(p, v.seq, "spoken", () => spoken(p))} />
  ) : null;
}

function spoken(p: Past): string {
  const known = p.rate.filter((x): x is number => x !== null);
  if (!known.length) return "No requests were measured.";
  return `${count(p.rate.at(-1) ?? null)} now; between ${count(known.reduce((a, b) => Math.min(a, b)))} and ${count(known.reduce((a, b) => Math.max(a, b)))}.`;
}

export function Figure({ label, value, note, cls }: { label: string; value: string; note?: string; cls?: string }) {
  return <div class={"figure " + (cls ?? "")}><span>{label}</span><b>{value}</b>{note && <small>{note}</small>}</div>;
}

export function PainBand() {
  const v = shown.value!, p = past(), pain = v.pain;
  const row = v.services.find((s) => s.service === service.value) ?? v.whole;
  const share = row.errors !== null && row.rate ? row.errors / row.rate : null;
  const left = pain?.left ?? null;
  const burning = (b: Num | undefined): string => (b === null || b === undefined ? "" : b > 14 ? "bad" : b > 6 ? "warn" : "");
  return (
    <Band n={3} title="Viewers' pain" cls="pain" aside={tv ? <TvLatency /> : <span class="quiet">{percent(v.status.slo)} of requests must succeed</span>}>
      <div class="figures">
        <Figure label={tv ? "errors" : "errors now"} value={percent(share)} cls={share !== null && share > 1 - v.status.slo ? "warn" : ""} />
        <Figure label={tv ? "budget" : "budget left"} value={left === null ? "–" : left < 0 ? "none" : percent(left)} note={pain ? (left !== null && left < 0 ? "overdrawn, " : "") + "of " + (v.status.event ? "the event" : "the last hour") : ""} cls={left !== null && left < 0.25 ? left < 0 ? "bad" : "warn" : ""} />
        <Figure label={tv ? "burn 1 m" : "burn, 1 min"} value={pain?.burn_1m == null ? "–" : count(pain.burn_1m) + " ×"} cls={burning(pain?.burn_1m)} />
        <Figure label={tv ? "burn 5 m" : "burn, 5 min"} value={pain?.burn_5m == null ? "–" : count(pain.burn_5m) + " ×"} cls={burning(pain?.burn_5m)} />
        {!tv && <Latency />}
      </div>
      {p && <Chart title="Share of requests that failed, all services" past={p} seq={v.seq} newest={share} floor={1 - v.status.slo} ground format={percent}
        lines={shareLine}
        data={(q) => [q.rate.map((r, i) => { const e = q.errors[i] ?? null; return r === null || r <= 0 || e === null ? null : Math.min(1, e / r); })]}
        summary={share === null ? "Not measured." : `${percent(share)} now.`} />}
      {!tv && pain?.missing?.map((m) => <p class="missing">Not seen: {m}</p>)}
    </Band>
  );
}

const slowest = () => (shown.value?.pain?.latency ?? []).filter((r) => !service.value || r.service === service.value).sort((a, b) => (b.p99 ?? 0) - (a.p99 ?? 0))[0];

function TvLatency() {
  const worst = slowest();
  return <span class="quiet">{worst ? "p99 " + seconds(worst.p99) : "answer times not seen"}</span>;
}

function Latency() {
  const worst = slowest();
  return <Figure label="answer time p50 / p99" value={worst ? seconds(worst.p50) + " / " + seconds(worst.p99) : "–"} note={worst ? "slowest: " + worst.service : ""} />;
}

