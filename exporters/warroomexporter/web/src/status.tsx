// Band 0: what time it is, how old the data is, who leads.
import { age, backToLive, clockOffset, connected, mode, retryAt, shown, stale, target, tickNow, tv, helpOpen } from "./model";
import { clock, count, lasting, words } from "./format";
import { toggleTheme } from "./theme";

export function StatusBand() {
  const v = shown.value;
  const serverNow = Date.now() + clockOffset.value;
  void tickNow.value; // each second
  const at = mode.value === "past" && v ? new Date(v.status.time).getTime() : serverNow;
  const s = v?.status;
  const board = s?.board;
  return (
    <header class="status" role="banner">
      <h1>Vigie</h1>
      <time class="now">{clock(at)}</time>
      <EventClock at={at} />
      <Connection />
      {s?.data_at && mode.value !== "past" && <DataAge at={s.data_at} now={serverNow} />}
      {board && board.severity !== "none" && <span class={"severity " + board.severity}>{board.severity.toUpperCase()}</span>}
      <span class="roles">
        {board?.commander && <span><small>commander</small> <bdi>{board.commander}</bdi></span>}
        {board?.deputy && <span><small>deputy</small> <bdi>{board.deputy}</bdi></span>}
        {board?.scribe && <span><small>scribe</small> <bdi>{board.scribe}</bdi></span>}
      </span>
      <span class="spring" />
      {s && mode.value !== "past" && <span class="quiet viewers">{s.viewers === 1 ? "1 viewer" : s.viewers + " viewers"}</span>}
      {s && !tv && mode.value !== "past" && <span class="quiet arriving" title="arriving a second">{count(s.arriving.logs)} logs/s · {count(s.arriving.metrics)} points/s</span>}
      {!tv && <button type="button" onClick={toggleTheme} title="dark or light (t)" aria-label="Dark or light">◐</button>}
      {!tv && <button type="button" onClick={() => { helpOpen.value = true; }} title="keys (?)" aria-label="Help">?</button>}
    </header>
  );
}

function EventClock({ at }: { at: number }) {
  const s = shown.value?.status;
  if (s?.event) {
    const since = at - new Date(s.event.kick_off).getTime();
    return <span class="event"><b><bdi>{s.event.name}</bdi></b> {words(s.event.phase)} {since >= 0 ? "+" + lasting(since) : "in " + lasting(-since)}{s.event.push ? " · push: " + s.event.push : ""}</span>;
  }
  if (s?.next) return <span class="event"><b><bdi>{s.next.name}</bdi></b> in {lasting(new Date(s.next.kick_off).getTime() - at)}</span>;
  return null;
}

function Connection() {
  if (mode.value === "past") {
    return <span class="mode past">Looking back at {clock(target.value ?? 0)} <button type="button" onClick={backToLive}>Live (Esc)</button></span>;
  }
  if (mode.value === "paused") {
    return <span class="mode past">Paused {clock(shown.value?.status.time ?? 0)} <button type="button" onClick={backToLive}>Go on (space)</button></span>;
  }
  if (stale.value) {
    const wait = Math.max(0, Math.ceil((retryAt.value - tickNow.value) / 1000));
    return <span class="mode lost" role="alert">{connected.value ? "NO NEWS" : "DISCONNECTED"}: this is {Math.round(age.value)} s old{wait > 0 ? `, trying again in ${wait} s` : ", trying again"}</span>;
  }
  return <span class="mode live"><i aria-hidden="true">●</i> Live</span>;
}

function DataAge({ at, now }: { at: string; now: number }) {
  const old = (now - new Date(at).getTime()) / 1000;
  const skew = Math.abs(clockOffset.value) > 5000 ? ` · this screen's clock is ${lasting(Math.abs(clockOffset.value))} ${clockOffset.value > 0 ? "behind" : "ahead"}` : "";
  return <span class={old > 10 ? "mode lost" : "quiet"}>data {old < 3 ? "now" : lasting(old * 1000) + " old"}{skew}</span>;
}
