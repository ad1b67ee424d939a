// Numbers and times for people.
import type { Num } from "./model";

export const none = "–";

// Formatters are made once: toLocaleString makes one at each call, which was the
// dearest thing on the page.
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
export function count(v: Num | undefined): string {
  if (v === null || v === undefined) return none;
  const a = Math.abs(v);
  return a >= 10_000 ? compact.format(v) : a >= 100 || Number.isInteger(v) ? plain.format(v) : String(Number(v.toPrecision(2)));
}
export const percent = (v: Num | undefined): string => (v === null || v === undefined ? none : (100 * v < 10 && v !== 0 ? Number((100 * v).toPrecision(2)) : Math.round(100 * v)) + " %");

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
export function amount(v: Num, unit: string): string {
  if (v === null) return none;
  if (unit === "1") return percent(v);
  if (unit !== "By") return count(v);
  let i = 0;
  while (Math.abs(v) >= 1024 && i < units.length - 1) { v /= 1024; i++; }
  return v.toFixed(i > 0 && v < 100 ? 1 : 0) + " " + units[i];
}
export function seconds(v: Num): string {
  if (v === null) return none;
  return v < 1 ? Math.round(v * 1000) + " ms" : v.toPrecision(2) + " s";
}
export const clock = (t: string | number): string => {
  const d = new Date(t);
  return Number.isNaN(d.getTime()) ? none : time.format(d);
};
export const hourMinute = (s: number): string => hour.format(s * 1000);
export function lasting(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return s + " s";
  const m = Math.round(s / 60);
  return m < 90 ? m + " min" : Math.floor(m / 60) + " h " + (m % 60) + " min";
}
export function minutes(v: number): string {
  if (v <= 0) return "NOW";
  if (v < 1) return Math.max(1, Math.round(v * 60)) + " s";
  return v < 10 ? v.toFixed(1) + " min" : v < 120 ? Math.round(v) + " min" : Math.round(v / 60) + " h";
}
export const words = (s: string): string => s.replaceAll("_", " ");
