// Band 7: services, namespaces, nodes, pods: choose one, and its charts, logs and
// spans are shown. Asked for only while it is open.
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Band } from "./band";
import { live, mode, range, service, target, type Num } from "./model";
import { amount, clock, count, percent } from "./format";
import { grafanaURL, type Kind } from "./grafana";
import { Spark, type SparkChart } from "./spark";

interface Whose { service: string; namespace?: string; pod?: string; node?: string }
interface LogRow extends Whose { time: string; severity: string; body: string; event?: string }
interface SpanRow extends Whose { time: string; name: string; status: string; duration_ms: number; trace_id: string }
interface Member { kind: Kind; name: string; node?: string; cpu: Num; memory: Num; restarts: Num; rate: Num; failed: Num; pods?: number }
interface Drilled { name: string; members: Member[]; hidden: number; missing: string[]; charts: SparkChart[]; logs: LogRow[]; spans: SpanRow[]; kept_since: string | null }
interface Source { signal: string; service: string; scope: string; total: number; rate: number }

export const drillOpen = signal(false);
type View = Kind | "everything";
const views: View[] = ["everything", "services", "namespaces", "nodes", "pods"];
const kind = signal<View>("everything"), name = signal("");
const find = signal(""), query = signal("");
const data = signal<Drilled | null>(null), sources = signal<Source[]>([]), failed = signal("");

function choose(k: View, n: string): void {
  kind.value = k;
  name.value = n;
  find.value = "";
  data.value = null;
  if (k === "services" && n && live.peek()?.services.some((s) => s.service === n)) service.value = n; // and above
}
// A service that is chosen above is chosen here as well.
effect(() => { const s = service.value; if (s && name.peek() !== s) choose("services", s); });

let asked = 0;
/** ask reads what is shown anew; light: logs and spans alone. */
async function ask(light: boolean): Promise<void> {
  if (document.hidden || mode.value === "paused") return;
  const mine = ++asked, all = kind.value === "everything";
  const p = new URLSearchParams({ kind: all ? "services" : kind.value, name: all ? "" : name.value, q: query.value, find: find.value, range: range.value });
  if (mode.value === "past" && target.value !== null) p.set("time", (target.value / 1000).toFixed(0));
  if (light || all) p.set("records", "1");
  try {
    const fetchJSON = async (path: string): Promise<unknown> => {
      const r = await fetch("/api/warroom/" + path, { signal: AbortSignal.timeout(15_000) });
      if (!r.ok) throw new Error(await r.text());
      return r.json();
    };
    const d = await fetchJSON("drill?" + p.toString()) as Drilled;
    const s = all && mode.value === "live" && !light ? (await fetchJSON("now?logs=0&spans=0") as { sources: Source[] }).sources : undefined;
    if (mine !== asked) return; // another wish since
    const old = data.value;
    data.value = light && old ? { ...d, members: old.members, hidden: old.hidden, missing: old.missing, charts: old.charts } : d;
    if (s) sources.value = s;
    failed.value = "";
  } catch (e) { if (mine === asked) failed.value = String(e instanceof Error ? e.message : e); }
}

/** Link is a component of its own: its time moves each second, the band does not. */
function Link() {
  const url = kind.value === "everything" ? undefined : grafanaURL(kind.value, name.value);
  return url ? <a href={url} target="_blank" rel="noopener noreferrer">{name.value ? "This in Grafana" : "Grafana"}</a> : null;
}

export function DrillBand() {
  return (
    <Band n={7} title="Drill-down" cls="drill" aside={<span class="links">
      {drillOpen.value && <Link />}{" "}
      <button type="button" aria-expanded={drillOpen.value} onClick={() => { drillOpen.value = !drillOpen.value; }}>{drillOpen.value ? "close" : "open (7)"}</button></span>}>
      {drillOpen.value ? <Open /> : <p class="quiet">By services, namespaces, nodes and pods: logs, slowest spans, and small charts of each.</p>}
    </Band>
  );
}

function Open() {
  // What is asked for decides when it is asked: at once when it changes.
  const wish = [kind.value, name.value, find.value, query.value, range.value, mode.value, mode.value === "past" ? target.value : 0].join("\n");
  useEffect(() => {
    void ask(false);
    if (mode.value !== "live") return;
    let n = 0;
    const t = setInterval(() => void ask(++n % 3 !== 0), 2000);
    return () => clearInterval(t);
  }, [wish]);
  const d = data.value, all = kind.value === "everything", lone = kind.value === "pods" && name.value !== "", node = lone ? d?.members[0]?.node : undefined;
  return (
    <div class={"drilled" + (all || lone ? " plain" : "")}>
      <nav class="range" aria-label="Drill down by">
        {views.map((k) => <button type="button" aria-pressed={kind.value === k} class={kind.value === k ? "on" : ""} onClick={() => choose(k, "")}>{k}</button>)}
        {name.value && <span class="chosen"><bdi>{name.value}</bdi> <button type="button" onClick={() => { const k = kind.value; service.value = ""; choose(k, ""); }}>all {kind.value}</button>{node && <> <small>on</small> <button type="button" onClick={() => choose("nodes", node)}><bdi>{node}</bdi></button></>}</span>}
      </nav>
      {failed.value && <p class="notice" role="alert">Could not be read: {failed.value}</p>}
      {!all && !lone && <Members d={d} />}
      <div class="detail">
        {!all && name.value && <div class="sparks">{d?.charts.map((c) => <Spark c={c} key={c.title} />)}</div>}
        {name.value && d?.missing.length ? <details class="missing"><summary>{d.missing.length === 1 ? "1 thing is" : d.missing.length + " things are"} not measured</summary><ul>{d.missing.map((m) => <li><bdi>{m}</bdi></li>)}</ul></details> : null}
        <Records d={d} />
        {all && <Arrivals />}
      </div>
    </div>
  );
}

function Members({ d }: { d: Drilled | null }) {
  const of = name.value ? "pods" : kind.value, rated = of === "services", restarts = d?.members.some((m) => m.restarts !== null);
  return (
    <div class="members">
      {!name.value && <input type="search" aria-label={"Find in " + of} placeholder={"find in " + of} value={find.value} onInput={(e) => { find.value = e.currentTarget.value; }} />}
      {name.value && <h3>Pods in it</h3>}
      <div class="scroll list" tabIndex={0}><table>
        <thead><tr><th>{of.replace(/s$/, "")}</th>{rated ? <><th class="n">Requests</th><th class="n">Failed</th></> : <><th class="n">CPU</th><th class="n">Memory</th>{restarts && <th class="n">Restarts</th>}</>}</tr></thead>
        <tbody>{d?.members.map((m) => (
          <tr key={m.name}>
            <td><button type="button" class="at" aria-pressed={m.name === name.value} onClick={() => choose(m.kind, m.name)}><bdi>{m.name}</bdi></button>{m.pods || m.node && kind.value !== "nodes" ? <small>{m.pods ? (m.pods === 1 ? "1 pod" : m.pods + " pods") : <bdi>{m.node}</bdi>}</small> : null}</td>
            {rated ? <><td class="n">{m.rate === null ? "–" : count(m.rate) + "/s"}</td><td class="n">{percent(m.failed)}</td></> : <><td class="n">{count(m.cpu)}</td><td class="n">{amount(m.memory, "By")}</td>{restarts && <td class="n">{count(m.restarts)}</td>}</>}
          </tr>
        ))}</tbody>
      </table></div>
      {d && !d.members.length && <p class="quiet">{find.value ? "None has these letters." : name.value ? "No pod of it is known." : d.missing[0] ?? "None."}</p>}
      {d && d.hidden > 0 && <p class="quiet">{d.hidden} more: find them by their letters.</p>}
    </div>
  );
}

/** Who is a record's pod, or its service, to be chosen. */
function Who({ r }: { r: Whose }) {
  const pod = r.pod && r.namespace ? r.namespace + "/" + r.pod : "";
  return <button type="button" class="at whose" title={pod || r.service} onClick={() => choose(pod ? "pods" : "services", pod || r.service)}><bdi>{r.pod && pod ? r.pod : r.service}</bdi></button>;
}

function Records({ d }: { d: Drilled | null }) {
  const past = mode.value === "past", kept = d?.kept_since, lone = kind.value === "pods" && name.value !== "";
  return (
    <>
      <h3>Newest logs <input type="search" aria-label="Find in logs" placeholder="a word in the body, service, pod or trace" value={query.value} onInput={(e) => { query.value = e.currentTarget.value; }} /> {name.value && !past && kept && <small>all of it since {clock(kept)}, before that what was left</small>}</h3>
      <div class="scroll logs" tabIndex={0}><table><tbody>
        {d?.logs.map((l) => <tr><td>{clock(l.time)}</td>{!lone && <td><Who r={l} /></td>}<td class={/^(ERR|FATAL|CRIT|ALERT|EMERG)/i.test(l.severity) ? "for" : ""}>{l.severity}</td><td class="body"><bdi>{l.event ? l.event + " " : ""}{l.body}</bdi></td></tr>)}
        {d && !d.logs.length && <tr><td class="quiet">{past ? "None of that time is still here: only the newest are kept. Older ones are where your logs are stored." : "None" + (query.value ? " with these letters." : " among those that are kept here.")}</td></tr>}
      </tbody></table></div>
      <h3>Slowest of the newest spans</h3>
      <div class="scroll" tabIndex={0}><table><tbody>
        {d?.spans.map((s) => <tr><td>{clock(s.time)}</td>{!lone && <td><Who r={s} /></td>}<td><bdi>{s.name}</bdi></td><td class={s.status === "Error" ? "for" : "quiet"}>{s.status === "Unset" ? "" : s.status}</td><td class="n">{count(s.duration_ms)} ms</td><td class="quiet">{s.trace_id.replace(/^0+$/, "").slice(0, 8)}</td></tr>)}
        {d && !d.spans.length && <tr><td class="quiet">None.</td></tr>}
      </tbody></table></div>
    </>
  );
}

function Arrivals() {
  return (
    <>
      <h3>What arrives</h3>
      <div class="scroll" tabIndex={0}><table><tbody>{sources.value.slice(0, 50).map((s) => <tr><td>{s.signal}</td><td><bdi>{s.service}</bdi></td><td class="quiet"><bdi>{s.scope.replace(/^.*\//, "")}</bdi></td><td class="n">{count(s.rate)}/s</td><td class="n">{count(s.total)} in all</td></tr>)}</tbody></table></div>
      <p class="quiet">Last values of all metrics are on the <a href="/plain/">plain page</a>.</p>
    </>
  );
}
