// 1.5 million people sign in within 15 minutes around kick-off, at SCALE.
// The same people as `vigie replay --scenario kickoff`.
import { rehearsal } from './rehearsal.js';

const r = rehearsal('signIn', 'sign_in', ['config', 'sign_in', 'catalog']);
export const options = r.options;
export const signIn = r.run;
export default r.run;
