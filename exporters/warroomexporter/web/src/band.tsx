import type { ComponentChildren } from "preact";

/** Band is one numbered part of the page; its number is its key. */
export function Band({ n, title, aside, children, cls }: { n: number; title: string; aside?: ComponentChildren; children: ComponentChildren; cls?: string }) {
  return (
    <section class={"band " + (cls ?? "")} id={"band" + n} tabIndex={-1} aria-labelledby={"title" + n}>
      <header><h2 id={"title" + n}><kbd>{n}</kbd>{title}</h2>{aside}</header>
      {children}
    </section>
  );
}

/** Bar is a share of one, with its number beside it elsewhere. */
export function Bar({ of, cls }: { of: number; cls?: string }) {
  return <span class={"bar " + (cls ?? "")} aria-hidden="true"><i style={{ width: 100 * Math.min(1, Math.max(0, of)) + "%" }} /></span>;
}
