// Half-time: every player asks for advertising at once, at SCALE.
// The same people as `vigie replay --scenario half-time`.
import { rehearsal } from './rehearsal.js';

const r = rehearsal('advertising', 'advertising', ['ad_pod', 'ad_beacon']);
export const options = r.options;
export const advertising = r.run;
export default r.run;
