// Package headroom reads out of the embedded store how far each limit is off:
// the connection-tracking table, the instance's ENA allowances, memory, CPU,
// file descriptors, threads, disks; and of a Kubernetes cluster pod addresses, room
// on the nodes, nodes, autoscalers.
//
// What enters is a store that answers PromQL and a time. What leaves is a
// Report: the walls, the worst first, each with the minutes that are left, and
// what could not be read and why. A wall that nobody measures is never left out
// in silence, and a reading that is old has no forecast.
//
// How: for each kind of wall the raw samples of the last four minutes and one
// value each 15 s of the hour before (of the CPU, one a minute; what internal/forecast can use), since a
// step-wise query would repeat a reading and so draw stairs into the fit. Where
// the conntrack processor has said how long is left, its word is taken: it saw
// each sample, also those of a node whose clock runs ahead. The walls of a cluster
// are made of several objects' series and so of a query's steps.
//
// The package decides nothing, keeps nothing and owns no goroutine; Read costs some
// thirty queries and Cluster some twenty, so a caller shares one Report among its viewers.
package headroom
