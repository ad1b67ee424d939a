// Band 4: how long until something breaks, and whether all that was read arrived.
import { Band, Bar } from "./band";
import { shownHeadroom, shownLedger, shownReady, tv, type BookRow, type Books, type Readiness, type Wall } from "./model";
import { amount, clock, count, minutes, percent, words } from "./format";

/** alarm: 2 within five minutes or hit, 1 within half an hour or nearly full. */
const alarm = (w: Wall): 0 | 1 | 2 =>
  w.losing || w.minutes_left !== null && w.minutes_left < 5 ? 2 : w.minutes_left !== null && w.minutes_left < 30 || (w.utilization ?? 0) > 0.85 || w.stale ? 1 : 0;

/** full: nothing is refused yet, and there is no more. */
const full = (w: Wall): boolean => !w.stale && !w.losing && (w.utilization ?? 0) >= 1 && w.minutes_left === null;

const steady = (w: Wall): boolean => !w.stale && !w.losing && w.minutes_left === null && w.utilization !== null && !full(w);

export function HeadroomBand() {
  const h = shownHeadroom.value;
  const most = tv ? 5 : 9;
  return (
    <Band n={4} title="Headroom" cls="headroom" aside={<span class="quiet">minutes to each wall, worst first{tv && h && h.walls.length + h.hidden > most ? `, ${most} of ${h.walls.length + h.hidden}` : ""}</span>}>
      {!h && <p class="quiet">Reading the walls…</p>}
      {h && (
        <table class="walls">
          <thead><tr><th>Wall</th><th>Used</th><th class="n">Left</th></tr></thead>
          <tbody>{h.walls.slice(0, most).map((w) => <WallRow w={w} />)}</tbody>
        </table>
      )}
      {!tv && h && h.walls.length + h.hidden > most && <p class="quiet">{h.walls.length + h.hidden - most} more, all better.</p>}
      {tv && <Ledger of={shownLedger.value} />}
      {h && h.missing.length > 0 && (tv
        ? <p class="missing">Not seen: {h.missing.map((m) => m.name).join(", ")}.</p>
        : <details class="missing"><summary>{h.missing.length} walls are not seen</summary><ul>{h.missing.map((m) => <li><b>{m.name}</b>: {m.why}</li>)}</ul></details>)}
      {!tv && <Ready of={shownReady.value} />}
      {!tv && <Ledger of={shownLedger.value} />}
    </Band>
  );
}

function WallRow({ w }: { w: Wall }) {
  const level = alarm(w), cls = level === 2 ? "bad" : level === 1 ? "warn" : "";
  return (
    <tr class={cls} title={w.why + " (" + w.source + ")"}>
      <td><b>{tv ? w.name.replace("Connection tracking", "Conntrack") : w.name}</b> <bdi class="quiet">{w.resource}</bdi>{steady(w) || full(w) && /does not grow/.test(w.why) ? null : <small>{w.why}</small>}</td>
      <td class="use">
        {w.utilization !== null ? <><Bar of={w.utilization} cls={cls} /><span class="n">{percent(w.utilization)}</span></> : null}
        <small>{w.used !== null && w.limit !== null && w.unit !== "1" ? amount(w.used, w.unit) + " of " + amount(w.limit, w.unit) : w.left !== null && w.unit !== "1" ? amount(w.left, w.unit) + " left" : ""}</small>
      </td>
      <td class="n left">{level === 2 ? "■ " : level === 1 ? "▲ " : ""}{w.stale ? "unknown" : w.minutes_left === null ? full(w) ? "at max" : w.used === null && w.left === null ? "not hit" : "steady" : minutes(w.minutes_left)}</td>
    </tr>
  );
}

/** Ledger is Vigie's own account: what became of everything that was read. */
function Ledger({ of }: { of: Books | undefined }) {
  if (!of || !of.rows.length) return null; // no ledger is kept here: nothing to say
  const off = of.rows.filter((b) => b.off), dark = of.rows.filter((b) => b.unknown).length;
  const verdict = off.length ? <span class="for">▲ {off.map((b) => `${b.signal} → ${b.to}: ${count(b.off)} unexplained`).join("; ")}</span>
    : dark === of.rows.length ? <span class="quiet">not countable</span>
    : <span class="against">✓ the books balance{dark > 0 && `, ${dark} not countable`}</span>;
  if (tv) return off.length ? <p class="off">Ledger: {verdict}</p> : null;
  return (
    <details class="ledger" open={off.length > 0}>
      <summary>What was read, and what became of it: {verdict}</summary>
      <div class="scroll" tabIndex={0}><table>
        <thead><tr><th>Signal, to</th><th class="n">Read</th><th class="n">Sent</th><th class="n">Waiting</th><th class="n">Dropped</th><th>Books</th></tr></thead>
        <tbody>{of.rows.map((b) => <BookLine b={b} />)}</tbody>
      </table></div>
      {of.hidden > 0 && <p class="quiet">{of.hidden} more, none off.</p>}
    </details>
  );
}

function BookLine({ b }: { b: BookRow }) {
  const dropped = b.dropped.reduce((sum, d) => sum + d.items, 0);
  return (
    <tr class={b.off ? "bad" : ""}>
      <td>{b.signal} <bdi class="quiet">→ {b.to}</bdi></td>
      <td class="n">{count(b.read)}{b.made ? <small>+ {count(b.made)} made here</small> : null}{b.before ? <small>+ {count(b.before)} from before</small> : null}</td>
      <td class="n">{count(b.sent)}{b.removed ? <small>+ {count(b.removed)} used up</small> : null}</td><td class="n">{count(b.waiting)}</td>
      <td class="n">{count(dropped)}{b.dropped.slice(0, 3).map((d) => <small>{count(d.items)} {d.reason}</small>)}</td>
      <td>{b.off ? <span class="for">▲ off by {count(b.off)}</span> : b.unknown ? <span class="quiet">not countable</span> : <span class="against">✓ balance</span>}{b.pushed_back ? <small>{count(b.pushed_back)} pushed back to senders</small> : null}</td>
    </tr>
  );
}

const stands: Record<string, [string, string]> = { ok: ["against", "✓ ready"], warn: ["warned", "▲ tight"], unknown: ["warned", "? unknown"], fail: ["for", "✗ failed"] };

/** Ready is the last assessment of `vigie ready`: can the cluster take the audience? */
function Ready({ of }: { of: Readiness | undefined }) {
  if (!of) return null;
  const c = of.counts, [cls, word] = of.ready ? stands["ok"]! : stands[of.status]!;
  const told = [c.fail && c.fail + " failed", c.unknown && c.unknown + " unknown", c.warn && c.warn + " tight", c.ok + " ok"].filter(Boolean).join(", ");
  return (
    <details class="ledger">
      <summary>Readiness{of.event && <> for <bdi>{of.event}</bdi></>}: <span class={cls}>{word}</span> <span class="quiet">{told}, assessed {new Date(of.at).toLocaleDateString("en-GB")} {clock(of.at)}</span></summary>
      <div class="scroll" tabIndex={0}><table><tbody>
        {of.rows.map((r) => <tr><td><span class={stands[r.status]?.[0] ?? ""}>{stands[r.status]?.[1] ?? r.status}</span>{r.accepted && <small>accepted</small>}</td><td>{words(r.check)} <bdi class="quiet">{r.subject}</bdi></td><td><bdi>{r.why}</bdi>{r.do && <small><bdi>{r.do}</bdi></small>}</td></tr>)}
      </tbody></table></div>
      {of.hidden > 0 && <p class="quiet">{of.hidden} more.</p>}
    </details>
  );
}
