// Package render draws a dashboard as an SVG, from answers that it is given: what
// a person gets is seen before they import it. It is no Grafana: it knows the
// panels that package panel makes, draws them where Grafana does, in its dark
// theme, with the same units, colours and thresholds, and no more.
//
// A panel and its queries' results enter, text leaves. It asks nothing by itself;
// package proof gives it the answers of the embedded store.
package render
