// Package costcmd is `vigie costs`: what a cluster's telemetry costs in AWS a
// month, by internal/costs, before there is a cluster. It asks nobody.
package costcmd
