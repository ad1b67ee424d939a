// What the server says, and the page's state. The shapes are those of view in
// room.go; null is what nobody told.
import { batch, computed, signal } from "@preact/signals";

export type Verdict = "normal" | "crowd" | "attack" | "mixed" | "unknown";
export type Num = number | null;

export interface VerdictRow {
  service: string; verdict: Verdict; since: string; heard: string;
  score: Num; rate: Num; expected: Num; clients: Num; errors: Num; suspected: Num;
  findings?: Record<string, number>;
}
export interface Evidence { dimension: string; value: number; normal: number; unit?: string; points: "for" | "against"; note?: string }
export interface Actor { kind: string; value: string; share: number; lift?: number; errors: number; first_seen?: string }
export interface Condition { field: string; op: string; values: string[] | null; more?: number }
export interface Rule { kind: string; match: Condition[] | null; action: string; coverage: number; legitimate_hit: number }
export interface Finding {
  id: string; class: string; service: string; status: "open" | "update" | "closed"; confidence: number;
  started_at: string; detected_at: string; closed_at?: string; requests: number;
  evidence: Evidence[] | null; actors: Actor[] | null; rules: Rule[] | null;
  mitigation?: { coverage: number; legitimate_hit: number; note?: string };
  /** stale: open when the server ended, and nobody has spoken of it since. */
  stale?: boolean;
}
export interface Wall {
  name: string; resource: string; unit: string; used: Num; limit: Num; left: Num; utilization: Num;
  minutes_left: Num; earliest_minutes: Num; latest_minutes: Num; growing: boolean; growth: number;
  losing: boolean; loss_rate: number; age_seconds: number; stale: boolean; source: string; why: string;
}
export interface Headroom { at: string; walls: Wall[]; missing: { name: string; why: string }[]; hidden: number }
export interface RouteRow { route: string; rate: Num; failed: Num }
export interface Pain {
  at: string; share_1m: Num; share_5m: Num; burn_1m: Num; burn_5m: Num; since: string; left: Num; requests: Num;
  latency: { service: string; p50: Num; p99: Num }[]; missing?: string[];
  routes?: RouteRow[]; sign_ins?: RouteRow;
}
export interface BookRow {
  signal: string; to: string; read: Num; before: Num; made: Num; removed: Num; sent: Num; waiting: Num; pushed_back: Num;
  dropped: { reason: string; items: number }[]; off: Num; unknown: boolean;
}
export interface Books { rows: BookRow[]; hidden: number; why?: string }
export interface Readiness {
  at: string; status: "ok" | "warn" | "unknown" | "fail"; ready: boolean; event?: string; counts: { ok: number; warn: number; unknown: number; fail: number };
  rows: { check: string; status: string; subject: string; why: string; do?: string; accepted?: boolean }[]; hidden: number;
}
export interface Entry { seq: number; at: string; kind: string; service?: string; text: string; who?: string; ref?: string }
export interface Past {
  end: number; step: number; rate: Num[]; expected: Num[]; clients: Num[]; errors: Num[]; suspected: Num[]; score: Num[]; verdict: number[];
}
export interface EventRow { name: string; phase: string; kick_off: string; full_time: string; expected_audience?: number; factor: number; push?: string }
export interface Status {
  time: string; second: number; started: string; data_at: string | null; viewers: number;
  arriving: { metrics: number; logs: number; traces: number };
  event: EventRow | null; next: EventRow | null; calendar?: string;
  board: { severity: string; commander: string; deputy: string; scribe: string }; degraded?: string[]; slo: number; grafana_url?: string;
}
export interface View {
  seq: number; status: Status; whole: VerdictRow; services: VerdictRow[];
  findings?: Finding[]; findings_none?: boolean; headroom?: Headroom; pain?: Pain; ledger?: Books; ready?: Readiness; timeline?: Entry[];
  seconds?: Past; minutes?: Past; past?: boolean;
}

export const MAX_SECONDS = 900, MAX_MINUTES = 360, MAX_ENTRIES = 300;
export const gravity: Record<Verdict, number> = { normal: 0, unknown: 1, crowd: 2, mixed: 3, attack: 4 };
export const verdicts: Verdict[] = ["normal", "unknown", "crowd", "mixed", "attack"];
const columns = ["rate", "expected", "clients", "errors", "suspected", "score"] as const;

export const emptyPast = (step: number): Past => ({ end: 0, step, rate: [], expected: [], clients: [], errors: [], suspected: [], score: [], verdict: [] });

/** merge gives the view after a delta: what the delta leaves out has not changed. */
export function merge(old: View, delta: View): View {
  const v: View = { ...old, ...delta };
  if (delta.findings_none) v.findings = [];
  else if (!delta.findings) v.findings = old.findings ?? [];
  v.timeline = delta.timeline?.length ? [...(old.timeline ?? []), ...delta.timeline].slice(-MAX_ENTRIES) : old.timeline ?? [];
  const seconds = old.seconds ?? emptyPast(1), minutes = old.minutes ?? emptyPast(60);
  push(seconds, delta.status.second, delta.whole);
  refreshMinute(minutes, seconds);
  v.seconds = seconds;
  v.minutes = minutes;
  return v;
}

/** push adds the row of a second; skipped seconds become gaps. The columns are
 *  changed in place: at 1 Hz a copy of 900 rows each second would be garbage. */
function push(p: Past, second: number, row: VerdictRow): void {
  if (p.end && second <= p.end) return;
  let gap = p.end ? Math.min(second - p.end - 1, MAX_SECONDS) : 0;
  for (; gap > 0; gap--) add(p, null, MAX_SECONDS);
  add(p, row, MAX_SECONDS);
  p.end = second;
}

function add(p: Past, row: VerdictRow | null, max: number): void {
  for (const c of columns) { p[c].push(row ? row[c] : null); if (p[c].length > max) p[c].shift(); }
  p.verdict.push(row ? gravity[row.verdict] : -1);
  if (p.verdict.length > max) p.verdict.shift();
}

/** refreshMinute makes the newest minute out of its seconds: means, and the
 *  gravest verdict. */
function refreshMinute(m: Past, s: Past): void {
  const minute = s.end - s.end % 60;
  if (!m.end || minute > m.end) {
    let gap = m.end ? Math.min((minute - m.end) / 60 - 1, MAX_MINUTES) : 0;
    for (; gap > 0; gap--) add(m, null, MAX_MINUTES);
    add(m, null, MAX_MINUTES);
    m.end = minute;
  }
  const n = Math.min(s.end - minute + 1, s.rate.length), last = m.verdict.length - 1;
  for (const c of columns) {
    const values = s[c].slice(-n).filter((v): v is number => v !== null);
    m[c][last] = values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
  }
  m.verdict[last] = Math.max(...s.verdict.slice(-n), -1);
}

// ---- the page's state

export type Mode = "live" | "paused" | "past";
export const mode = signal<Mode>("live");
/** live is the newest view; shown is what the page draws. */
export const live = signal<View | null>(null);
const held = signal<View | null>(null);
export const shown = computed(() => (mode.value === "live" ? live.value : held.value ?? live.value));
// Parts that change seldom: who reads these is not drawn anew each second.
export const shownHeadroom = computed(() => shown.value?.headroom);
export const shownReady = computed(() => shown.value?.ready);
export const shownLedger = computed(() => shown.value?.ledger);
export const shownFindings = computed(() => shown.value?.findings);
export const shownTimeline = computed(() => shown.value?.timeline);
export const shownRoutes = computed(() => shown.value?.pain?.routes);
export const connected = signal(false);
export const everConnected = signal(false);
/** lastEvent is when the stream last spoke, by the browser's own steady clock. */
export const lastEvent = signal(0);
export const retryAt = signal(0);
/** clockOffset is how far the server's clock is ahead of ours, ms. */
export const clockOffset = signal(0);
/** tickNow is the page's clock: the stream moves it, and where that is silent a timer. */
export const tickNow = signal(performance.now());
export const service = signal(""); // "": all
export const range = signal<"15m" | "6h">("15m");
export const helpOpen = signal(false);
export const notice = signal("");
export const who = signal(localStorage.getItem("vigie.who") ?? "");
export const tv = new URLSearchParams(location.search).has("tv");

/** age is how old what is shown is, in seconds. */
export const age = computed(() => (lastEvent.value ? Math.max(0, (tickNow.value - lastEvent.value) / 1000) : 0));
export const stale = computed(() => mode.value !== "past" && everConnected.value && (age.value > 3 || !connected.value && age.value > 1.5));

export function receive(v: View, whole: boolean): void {
  batch(() => take(v, whole)); // what reads several of these is worked out once
}

function take(v: View, whole: boolean): void {
  if (whole) {
    v.findings ??= []; v.timeline ??= []; v.seconds ??= emptyPast(1); v.minutes ??= emptyPast(60);
    live.value = v;
  } else if (live.value && v.seq > live.value.seq) {
    live.value = merge(live.value, v);
  }
  tickNow.value = lastEvent.value = performance.now();
  clockOffset.value = new Date(v.status.time).getTime() - Date.now();
}

const frozen = (v: View): View => ({ ...v, seconds: structuredClone(v.seconds ?? emptyPast(1)), minutes: structuredClone(v.minutes ?? emptyPast(60)) });

export function pause(): void {
  if (mode.value === "live" && live.value) { held.value = frozen(live.value); mode.value = "paused"; } else backToLive();
}
export function backToLive(): void { mode.value = "live"; held.value = null; target.value = null; }

/** target is the moment that is being looked at, ms; null: live. */
export const target = signal<number | null>(null);
let asked = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** travel shows the page as it was; a slider that moves asks at most each 150 ms. */
export function travel(ms: number): void {
  target.value = ms;
  clearTimeout(waiting);
  waiting = setTimeout(() => void fetchPast(ms), 150);
}

async function fetchPast(ms: number): Promise<void> {
  const mine = ++asked;
  try {
    const r = await fetch("/api/warroom/at?time=" + (ms / 1000).toFixed(3), { signal: AbortSignal.timeout(20_000) });
    if (!r.ok) throw new Error(await r.text());
    const v = await r.json() as View;
    if (mine !== asked || target.value === null) return; // a newer wish, or live again
    v.findings ??= []; v.timeline ??= [];
    held.value = v;
    mode.value = "past";
  } catch (e) {
    notice.value = "That moment could not be read: " + String(e instanceof Error ? e.message : e);
  }
}
