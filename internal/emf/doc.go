// Package emf writes metrics as documents of CloudWatch's embedded metric format.
//
// What enters is pdata metrics; what leaves are documents, JSON objects for
// PutLogEvents, each with its time and the number of data points in it. A
// Converter has no clock and does no I/O: time comes in with the call. It keeps
// what cumulative series last were, bounded in number, and nothing else.
//
// Dimensions go by rule; where no rule speaks there is one set, the data point's
// attributes with a few of the resource's. No set is rolled up: each set is
// billed as a metric of its own.
//
// A gauge is its value. A sum is its increase: cumulative ones are differenced
// here, so that CloudWatch's Sum over a period is what happened in it; one that
// may fall is its value. Histograms are values and counts, at most 100 a member,
// each bucket at its middle. A summary is name_sum and name_count, and its
// quantiles under the dimension quantile. Points without a value, or whose value
// CloudWatch does not take, are counted by reason and left out.
//
// Source: "Specification: Embedded metric format" and the API reference of
// MetricDatum, in the CloudWatch user guide.
package emf
