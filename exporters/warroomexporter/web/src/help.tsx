import { useEffect, useRef } from "preact/hooks";
import { helpOpen } from "./model";

const keys: [string, string][] = [
  ["1 … 7", "go to a band; 7 opens the drill-down"], ["n", "write a note"], ["space", "pause, and go on"],
  ["Esc or l", "back to live"], [", and .", "look back 10 s, and forward"], ["t", "dark or light"], ["?", "this help"],
];

export function Help() {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { if (helpOpen.value) ref.current?.showModal(); else ref.current?.close(); }, [helpOpen.value]);
  return (
    <dialog ref={ref} onClose={() => { helpOpen.value = false; }} aria-labelledby="helptitle">
      <h2 id="helptitle">Keys</h2>
      <table><tbody>{keys.map(([k, what]) => <tr><td><kbd>{k}</kbd></td><td>{what}</td></tr>)}</tbody></table>
      <p>Add <code>?tv=1</code> to the address for a wall. UNKNOWN means that input is missing; it never means that all is well.</p>
      <button type="button" onClick={() => { helpOpen.value = false; }}>Close</button>
    </dialog>
  );
}

/** Empty explains what to send where nothing has arrived yet. */
export function Empty() {
  return (
    <section class="empty">
      <h2>Nothing has arrived yet</h2>
      <p>Send OTLP to <code>127.0.0.1:4317</code> (gRPC) or <code>127.0.0.1:4318</code> (HTTP), or let Vigie read your access log:</p>
      <pre>VIGIE_LOGS='/var/log/nginx/access.log' make run</pre>
      <p>The verdict comes from requests: access-log lines or server spans with <code>client.address</code>, <code>http.request.method</code> and <code>url.path</code>. Verdicts begin as UNKNOWN until a baseline is learnt.</p>
    </section>
  );
}
