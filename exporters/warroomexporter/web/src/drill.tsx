// Band 7: the newest logs and spans, asked for only while it is open.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Band } from "./band";
import { mode, service } from "./model";
import { clock, count } from "./format";

interface LogRow { time: string; service: string; severity: string; body: string; event?: string; trace_id?: string }
interface SpanRow { time: string; service: string; name: string; status: string; duration_ms: number; trace_id: string }
interface Source { signal: string; service: string; scope: string; total: number; rate: number; last: string }
interface Now { logs: LogRow[]; spans: SpanRow[]; sources: Source[] }

export const drillOpen = signal(false);
const query = signal(""), data = signal<Now | null>(null), failed = signal("");

async function ask(): Promise<void> {
  if (document.hidden || mode.value !== "live") return;
  try {
    const r = await fetch("/api/warroom/now?logs=100&spans=200&q=" + encodeURIComponent(query.value || service.value), { signal: AbortSignal.timeout(4000) });
    if (!r.ok) throw new Error("HTTP " + r.status);
    data.value = await r.json() as Now;
    failed.value = "";
  } catch (e) { failed.value = String(e instanceof Error ? e.message : e); }
}

export function DrillBand() {
  return (
    <Band n={7} title="Drill-down" cls="drill" aside={<button type="button" aria-expanded={drillOpen.value} onClick={() => { drillOpen.value = !drillOpen.value; }}>{drillOpen.value ? "close" : "open (7)"}</button>}>
      {drillOpen.value ? <Open /> : <p class="quiet">Newest logs, slowest spans and what arrives from whom.</p>}
    </Band>
  );
}

function Open() {
  useEffect(() => { void ask(); const t = setInterval(() => void ask(), 2000); return () => clearInterval(t); }, []);
  const d = data.value;
  const spans = [...(d?.spans ?? [])].filter((s) => !service.value || s.service === service.value).sort((a, b) => b.duration_ms - a.duration_ms).slice(0, 20);
  return (
    <div class="drilled">
      {failed.value && <p class="missing">Could not be read: {failed.value}</p>}
      <h3>Newest logs <input type="search" aria-label="Find in logs" placeholder="a word in the body, service or event" value={query.value} onInput={(e) => { query.value = e.currentTarget.value; void ask(); }} /></h3>
      <div class="scroll logs" tabIndex={0}><table><tbody>{(d?.logs ?? []).map((l) => <tr><td>{clock(l.time)}</td><td><bdi>{l.service}</bdi></td><td>{l.severity}</td><td class="body"><bdi>{l.event ? l.event + " " : ""}{l.body}</bdi></td></tr>)}{d && !d.logs.length && <tr><td class="quiet">None.</td></tr>}</tbody></table></div>
      <h3>Slowest of the newest spans</h3>
      <div class="scroll" tabIndex={0}><table><tbody>{spans.map((s) => <tr><td>{clock(s.time)}</td><td><bdi>{s.service}</bdi></td><td><bdi>{s.name}</bdi></td><td>{s.status}</td><td class="n">{count(s.duration_ms)} ms</td><td class="quiet">{s.trace_id.slice(0, 8)}</td></tr>)}{d && !spans.length && <tr><td class="quiet">None.</td></tr>}</tbody></table></div>
      <h3>What arrives</h3>
      <div class="scroll" tabIndex={0}><table><tbody>{(d?.sources ?? []).slice(0, 50).map((s) => <tr><td>{s.signal}</td><td><bdi>{s.service}</bdi></td><td class="quiet"><bdi>{s.scope.replace(/^.*\//, "")}</bdi></td><td class="n">{count(s.rate)}/s</td><td class="n">{count(s.total)} in all</td></tr>)}</tbody></table></div>
      <p class="quiet">Last values of all metrics are on the <a href="/plain/">plain page</a>.</p>
    </div>
  );
}
