// One stream from the server; it comes back by itself.
import { connected, everConnected, receive, retryAt, type View } from "./model";

let source: EventSource | undefined;
let delay = 500;
let timer: ReturnType<typeof setTimeout> | undefined;

export function connect(): void {
  clearTimeout(timer);
  source?.close();
  const s = new EventSource("/api/warroom/stream");
  source = s;
  const take = (whole: boolean) => (e: MessageEvent<string>): void => {
    if (s !== source) return;
    delay = 500;
    connected.value = everConnected.value = true;
    retryAt.value = 0;
    receive(JSON.parse(e.data) as View, whole);
    watch();
  };
  s.addEventListener("snapshot", take(true));
  s.addEventListener("delta", take(false));
  s.onerror = () => { if (s === source) lost(); };
  watch();
}

// The browser would try again too, but not after a refusal (503), and it does not
// notice a line that went dead without a word: a laptop that slept.
let watchdog: ReturnType<typeof setTimeout> | undefined;
function watch(): void {
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, 6000);
}

function lost(): void {
  clearTimeout(watchdog);
  clearTimeout(timer);
  source?.close();
  source = undefined;
  connected.value = false;
  const wait = delay * (0.75 + Math.random() / 2); // 200 viewers must not come back as one
  delay = Math.min(delay * 2, 8000);
  retryAt.value = performance.now() + wait;
  timer = setTimeout(connect, wait);
}

addEventListener("online", connect);
addEventListener("visibilitychange", () => { if (!document.hidden && !connected.value) connect(); });
