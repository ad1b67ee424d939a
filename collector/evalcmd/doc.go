// Package evalcmd is the command `vigie eval`: how well marks match labels, and,
// with `vigie eval run`, how well the detector does on every scenario of
// internal/replay. The judging is internal/score's.
package evalcmd
