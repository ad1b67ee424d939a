// Package lint reads dashboards as Grafana will read them, the JSON and not the
// Go that made it, and says what is wrong with them: what does not parse, asks
// for a metric or a label that no configuration emits, can't ever match, or can't
// be imported.
//
// [Expr] judges one expression by package metrics: each selector's name and
// labels, each grouping, each binary operation's two sides, each rate of
// something that is no counter. [Dashboard] judges a file, [Files] a whole set.
// None of them runs a query; package proof does.
package lint
