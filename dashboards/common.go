package dashboards

import (
	"fmt"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// tag is on every dashboard; the links among them go by it.
const tag = "vigie"

// All are the dashboards in the order in which a newcomer should meet them.
func All() []p.Dashboard {
	return []p.Dashboard{
		WarRoom(), Attack(), Conntrack(), Cluster(), Nodes(), Workloads(), Services(), ControlPlane(), Telemetry(), Vigie(), AWS(),
	}
}

// page is what all dashboards share. Its variables come before those given.
func page(uid, title, description string, rows []p.Row, variables ...p.Variable) p.Dashboard {
	return p.Dashboard{
		UID: uid, Title: "Vigie / " + title, Description: description, Refresh: "10s", From: "now-30m", Tags: []string{tag},
		Variables: append(append([]p.Variable{source(), cluster()}, variables...), room()),
		Links: []p.Link{
			{Title: "Vigie", Tag: tag, Tooltip: "The other dashboards, for the same time and cluster"},
			{Title: "War room", URL: "${warroom}", Tooltip: "Vigie's own page: evidence, attackers, rules to copy, notes"},
		},
		Annotations: marks(),
		Rows:        rows,
	}
}

func source() p.Variable {
	return p.Variable{Name: p.DataSource, Label: "Data source", Source: "prometheus", Description: "Prometheus, Amazon Managed Prometheus, or Vigie's embedded store"}
}

func cluster() p.Variable {
	return p.Variable{Name: "cluster", Label: "Cluster", Query: "label_values(cluster)",
		Conditional: "a laptop has no cluster; All matches what has none"}
}

func namespace() p.Variable {
	return p.Variable{Name: "namespace", Label: "Namespace", Query: labelValues(sel(metrics.NamespaceInfo), "namespace")}
}

func service() p.Variable {
	return p.Variable{Name: "service", Label: "Service", Query: labelValues(sel(metrics.AttackVerdict), metrics.ServiceName)}
}

func tracedService() p.Variable {
	return p.Variable{Name: "service", Label: "Service", Query: labelValues(sel(metrics.SpanCalls), metrics.ServiceName)}
}

func node() p.Variable {
	return p.Variable{Name: "node", Label: "Node", Query: labelValues(sel(metrics.Load1), metrics.Instance)}
}

func room() p.Variable {
	return p.Variable{Name: "warroom", Label: "War room", Text: "http://127.0.0.1:8640/", Description: "Where the war-room page is, for the links"}
}

func labelValues(selector, label string) string {
	return fmt.Sprintf("label_values(%s, %s)", selector, label)
}

// marks are drawn on every time axis: the calendar's event (kick-off, half-time),
// findings and crowds. They come from metrics, so they are there without Vigie's
// Grafana exporter, whose annotations Grafana shows beside them.
func marks() []p.Annotation {
	return []p.Annotation{
		{
			Name: "Findings", Color: p.Vermillion, Step: "30s",
			Expr:  sum(metrics.ServiceName+", "+metrics.AttackClass, fresh(metrics.AttackFindings)) + " > 0",
			Title: "{{" + metrics.AttackClass + "}}", Text: "A finding is open for {{" + metrics.ServiceName + "}}", TagKeys: metrics.ServiceName + "," + metrics.AttackClass,
		},
		{
			Name: "Crowds", Color: p.Sky, Step: "30s",
			Expr:  over("max", metrics.ServiceName, sel(metrics.AttackVerdict, is(metrics.VerdictState, "crowd"))) + " == 1",
			Title: "Crowd", Text: "{{" + metrics.ServiceName + "}} has a crowd", TagKeys: metrics.ServiceName,
		},
		{
			Name: "Calendar", Color: p.Grey, Step: "30s",
			Expr:  over("max", metrics.CalendarEvent+", "+metrics.CalendarPhase, fresh(metrics.CalendarActive)) + " == 1",
			Title: "{{" + metrics.CalendarEvent + "}}", Text: "{{" + metrics.CalendarPhase + "}}", TagKeys: metrics.CalendarEvent + "," + metrics.CalendarPhase,
		},
	}
}

func is(label, value string) string   { return label + `="` + value + `"` }
func isnt(label, value string) string { return label + `!="` + value + `"` }
func like(label, value string) string { return label + `=~"` + value + `"` }

// to is a link to another dashboard that keeps the time and the choices.
func to(title, uid string) p.Link {
	return p.Link{Title: title, URL: "/d/" + uid + "?${__url_time_range}&${__all_variables}"}
}

// verdict is a service's verdict as one number, for verdicts' words and colours.
func verdict() string {
	code := func(state string, n int) string {
		return fmt.Sprintf("%d * %s", n, over("max", metrics.ServiceName, sel(metrics.AttackVerdict, ofService, is(metrics.VerdictState, state))))
	}
	return code("crowd", 1) + " + " + code("mixed", 2) + " + " + code("attack", 3) + " + " + code("unknown", 4)
}

func verdicts() []p.Mapping {
	return []p.Mapping{
		{Value: "0", Text: "normal", Color: p.Green}, {Value: "1", Text: "crowd", Color: p.Sky}, {Value: "2", Text: "mixed", Color: p.Purple},
		{Value: "3", Text: "attack", Color: p.Vermillion}, {Value: "4", Text: "unknown", Color: p.Grey},
	}
}
