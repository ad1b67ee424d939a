package emf

import "strings"

// unit is one of CloudWatch's, and what a value is multiplied by to be in it.
type unit struct {
	name  string // "" is none
	scale float64
}

// ucum maps the units of OpenTelemetry's conventions. CloudWatch has no
// nanoseconds, hours or binary multiples: those are scaled.
var ucum = map[string]unit{
	"s": {"Seconds", 1}, "ms": {"Milliseconds", 1}, "us": {"Microseconds", 1}, "µs": {"Microseconds", 1}, "μs": {"Microseconds", 1},
	"ns": {"Microseconds", 1e-3}, "min": {"Seconds", 60}, "h": {"Seconds", 3600}, "d": {"Seconds", 86400},
	"By": {"Bytes", 1}, "kBy": {"Kilobytes", 1}, "MBy": {"Megabytes", 1}, "GBy": {"Gigabytes", 1}, "TBy": {"Terabytes", 1},
	"KiBy": {"Bytes", 1 << 10}, "MiBy": {"Bytes", 1 << 20}, "GiBy": {"Bytes", 1 << 30}, "TiBy": {"Bytes", 1 << 40},
	"bit": {"Bits", 1}, "kbit": {"Kilobits", 1}, "Mbit": {"Megabits", 1}, "Gbit": {"Gigabits", 1}, "Tbit": {"Terabits", 1},
	"%":    {"Percent", 1},
	"By/s": {"Bytes/Second", 1}, "kBy/s": {"Kilobytes/Second", 1}, "MBy/s": {"Megabytes/Second", 1}, "GBy/s": {"Gigabytes/Second", 1}, "TBy/s": {"Terabytes/Second", 1},
	"KiBy/s": {"Bytes/Second", 1 << 10}, "MiBy/s": {"Bytes/Second", 1 << 20}, "GiBy/s": {"Bytes/Second", 1 << 30},
	"bit/s": {"Bits/Second", 1}, "kbit/s": {"Kilobits/Second", 1}, "Mbit/s": {"Megabits/Second", 1}, "Gbit/s": {"Gigabits/Second", 1}, "Tbit/s": {"Terabits/Second", 1},
	"1/s": {"Count/Second", 1}, "Hz": {"Count/Second", 1},
}

// unitOf maps a UCUM unit. counted says that "1" counts things, which in a gauge
// it need not: there it is a ratio.
func unitOf(u string, counted bool) unit {
	if known, ok := ucum[u]; ok {
		return known
	}
	what, rest, annotated := strings.Cut(u, "}")
	if annotated && strings.HasPrefix(what, "{") {
		switch rest {
		case "":
			return unit{"Count", 1}
		case "/s":
			return unit{"Count/Second", 1}
		}
	}
	if u == "1" && counted {
		return unit{"Count", 1}
	}
	return unit{"", 1}
}

// Units are the names that CloudWatch knows.
var Units = map[string]bool{
	"Seconds": true, "Microseconds": true, "Milliseconds": true,
	"Bytes": true, "Kilobytes": true, "Megabytes": true, "Gigabytes": true, "Terabytes": true,
	"Bits": true, "Kilobits": true, "Megabits": true, "Gigabits": true, "Terabits": true,
	"Percent": true, "Count": true,
	"Bytes/Second": true, "Kilobytes/Second": true, "Megabytes/Second": true, "Gigabytes/Second": true, "Terabytes/Second": true,
	"Bits/Second": true, "Kilobits/Second": true, "Megabits/Second": true, "Gigabits/Second": true, "Terabits/Second": true,
	"Count/Second": true, "None": true,
}
