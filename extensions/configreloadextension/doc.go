// Package configreloadextension says in health and in metrics whether what is
// configured is what runs.
//
// The state enters from whoever loads configurations (internal/configstate);
// component status and the vigie.config metrics leave. While an earlier
// configuration runs in place of the newest, the extension's status is a
// recoverable error that names the problem: /healthz?verbose shows it and stays
// 200, since a restart would help nobody. It loads and watches nothing itself. One
// goroutine, from Start to Shutdown, waits for changes.
package configreloadextension

//go:generate go tool mdatagen metadata.yaml
