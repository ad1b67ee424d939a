import { effect, signal } from "@preact/signals";

type Theme = "dark" | "light";
const dark = matchMedia("(prefers-color-scheme: dark)");
const chosen = signal(localStorage.getItem("vigie.theme") as Theme | null);
const system = signal<Theme>(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => { system.value = dark.matches ? "dark" : "light"; });

export const theme = signal<Theme>(chosen.value ?? system.value);
effect(() => {
  const t = chosen.value ?? system.value;
  document.documentElement.dataset.theme = t;
  theme.value = t;
});
export function toggleTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem("vigie.theme", chosen.value);
}
