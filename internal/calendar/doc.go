// Package calendar holds the event calendar: what is going to happen, so that
// a crowd which was announced is not a surprise.
//
// A YAML file enters (see Parse for its shape); events, their phases and a Band
// leave. A Band widens how high the request rate of a service may go before it
// counts as a surge, and only that: no calendar entry ever excuses what the
// traffic is made of, so an attack during a kick-off stays an attack.
//
// A bad entry is named with its line and ignored; the rest is kept. The package
// never reads the clock and owns no goroutine: whoever wants a changed file
// noticed calls File.Reload now and then.
package calendar
