// Links into Grafana, with the time that is looked at and what is chosen.
import { mode, range, shown } from "./model";

export type Kind = "services" | "namespaces" | "nodes" | "pods";

// Vigie's own dashboards, by what they show.
const boards: Record<Kind, string> = { services: "vigie-services", namespaces: "vigie-workloads", nodes: "vigie-nodes", pods: "vigie-workloads" };

/** grafanaURL is where Grafana shows the same: the dashboard that is configured or,
 *  where Grafana's root is, the one of Vigie's that fits. The server has checked
 *  that it is http or https. */
export function grafanaURL(kind?: Kind, name?: string): string | undefined {
  const v = shown.value, base = v?.status.grafana_url;
  if (!v || !base) return undefined;
  const u = new URL(base);
  if (!u.pathname.includes("/d/")) u.pathname = u.pathname.replace(/\/$/, "") + "/d/" + (kind ? boards[kind] : "vigie-war-room");
  const end = new Date(v.status.time).getTime();
  u.searchParams.set("from", String(end - (range.value === "15m" ? 15 : 360) * 60_000));
  u.searchParams.set("to", mode.value === "past" ? String(end) : "now");
  if (kind && name) {
    const [namespace, pod] = name.split("/", 2);
    if (kind === "pods") { u.searchParams.set("var-namespace", namespace ?? ""); u.searchParams.set("var-pod", pod ?? ""); }
    else u.searchParams.set("var-" + kind.slice(0, -1), name);
  }
  return u.href;
}
