// Package dashboards is what people look at in Grafana, as Go: eleven dashboards,
// each a file, written against package metrics (which metrics there are) and made
// by package panel (how Grafana wants it). `make dashboards` writes them to
// out/grafana.
//
// Package lint holds the rules that every file keeps, package proof runs every
// query of every panel against the embedded store, and package render draws the
// dashboards from the answers, for docs/dashboards.md.
//
// A dashboard's first row answers the question in its title; what follows says
// why. A description says what a panel shows and what to do when it is bad. Colours
// mean the same everywhere; see package panel. Each panel is asked for a cluster,
// and for a namespace, service or node where it has one; the choice All matches
// what has no such label too, so that the same files serve a laptop.
package dashboards
