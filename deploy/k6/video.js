// Two hours of viewers around a match, at SCALE: a stream is asked for, its
// manifest, and a heartbeat each minute while it plays. The bytes of the video
// are a CDN's matter and not asked for.
// The same people as `vigie replay --scenario match-day`.
import { rehearsal } from './rehearsal.js';

const r = rehearsal('video', 'video', ['play', 'manifest', 'heartbeat']);
export const options = r.options;
export const video = r.run;
export default r.run;
