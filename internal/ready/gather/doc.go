// Package gather fills in ready.Inputs: it reads the cluster's API, a Prometheus
// API and, where there are AWS credentials, the subnets.
//
// It only ever reads. To the API server there is one function that sends, and its
// verb is GET; queries of Prometheus are GET; of AWS it calls ec2:DescribeSubnets.
// What it asks of Kubernetes is ready.Rights, which a test holds it to.
//
// Lists come in pages of 500 and are decoded an object at a time, so that 10,000
// pods cost the memory of one and of what is kept: sums by node and by workload.
// A list that is refused, or does not come, is a gap with the right that is
// missing; everything else goes on.
//
// Its goroutines end before Cluster or Metrics return.
package gather
