// Package dashboardscmd is `vigie dashboards`: import puts Vigie's dashboards
// into a Grafana through its HTTP API, export writes them with the rules for
// those who bring files in another way.
//
// The files that were generated enter, from the binary or from a directory;
// requests to one Grafana, or files, leave. Import reads before it writes, so a
// second run changes nothing and says so. It starts no goroutine and keeps no
// state. The token is read from a file and never printed.
//
// Rules are exported only: Managed Prometheus takes them through aws amp or
// Terraform, any other Prometheus from its disk.
package dashboardscmd
