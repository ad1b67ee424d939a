// Package names spells each metric, attribute and event name of Vigie once.
//
// Components, dashboards, alerts and tests all take the names from here, so a
// rename breaks the build instead of a panel. One file a domain. Names of the
// OpenTelemetry semantic conventions are used where one exists; what is ours
// begins with "vigie.". The package holds constants only.
package names
