// Package costs estimates what a cluster's telemetry costs in AWS a month.
//
// A description of a cluster (nodes, pods, log volume, kept spans) and list prices
// enter; lines leave, each with its quantity, its unit and its US dollars. It asks
// nobody: prices are data with a region and a date, and whoever has others gives
// them.
//
// It is an estimate before there is a cluster. What runs already is measured
// better: vigie.cloudwatch.cost_estimate and vigie.series_guard.* are of the data
// itself.
//
// Nothing is subtracted for free tiers, discounts and credits, nothing is added
// for taxes. What is not in it: the cluster itself, the applications, a CDN, NAT
// gateways and VPC endpoints on the way to AWS' services.
package costs
