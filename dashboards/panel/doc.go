// Package panel makes Grafana dashboards: what a dashboard's author says enters,
// classic dashboard JSON of schemaVersion 39 leaves, which Grafana 9.4 to 13
// imports.
//
// What is easy to get wrong is not the author's to say: every target gets its
// refId and the data source variable, panels flow into the 24 columns of a row
// and can't overlap, ids count from 1, every dashboard has a fixed uid and a null
// id, and there are no __inputs. The author says what is asked, in which unit,
// where it becomes bad, and what to do then.
//
// Of Grafana's own builders (grafana-foundation-sdk) the whole schema comes in
// 60 packages and writes the newest schema's defaults, 42 at the version that was
// looked at: each of the things above would have had to be set by hand and
// checked after. The part of the schema that eleven dashboards need is the one
// file json.go.
package panel
