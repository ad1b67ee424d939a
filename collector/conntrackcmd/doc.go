// Package conntrackcmd is `vigie conntrack`: for a person on a node, who wants
// to see how full the connection-tracking table is, how long is left, who fills
// it and what waits half-open.
//
// The kernel's table enters through internal/conntrack; a live view of the
// terminal, one plain text (--once) or JSON (--json) leaves. Unlike a metric it
// shows client addresses: they stay on the screen. It needs no running
// collector and writes to nothing but its output.
//
// One goroutine reads and draws. While the view is live, a second one waits for
// keys; it ends with the process, since a read of a terminal can't be called off.
package conntrackcmd
