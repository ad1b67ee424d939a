// Package enareceiver reads the allowances that an EC2 instance's network has,
// as the ENA driver counts them: bandwidth in and out, packets a second,
// connection tracking, link-local services. Beside the kernel's own table, the
// conntrack allowance is the second wall that new viewers can hit.
//
// What enters is the driver's statistics through the ethtool ioctl; what leaves
// is two metrics an interface. Nothing is derived here: the conntrack processor
// makes the forecast. Each read is a command on the device's admin queue, so
// that reading oftener than each 10 s is refused.
//
// Where no interface has the driver, one log line says so and no metric comes;
// an interface that appears later is picked up. The scraper controller owns the
// one goroutine that calls scrape; all state belongs to it.
package enareceiver

//go:generate go tool mdatagen metadata.yaml
