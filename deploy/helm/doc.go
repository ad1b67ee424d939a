// Package helm renders Vigie's chart, so that tests can hold what comes of it
// against the product: its configuration is read by the binary itself, its objects
// into the API's own types, where a misspelt field is an error.
//
// Values enter, objects leave. Rendering is helm's own: tools.sh gets it where it
// is not installed. The package starts nothing that outlives a call.
package helm
