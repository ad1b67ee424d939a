package costcmd

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/internal/costs"
)

// text is for a terminal: each cluster with its bill.
func text(w io.Writer, all []named, p costs.Prices) error {
	var b strings.Builder
	fmt.Fprintf(&b, "US dollars a month at list prices of %s, %s; no free tier, discount or tax\n", p.Region, p.Date)
	for _, n := range all {
		fmt.Fprintf(&b, "\n%s: %s\n", n.Name, describe(n.Cluster))
		fmt.Fprintf(&b, "  %s active series and %s samples a second in AMP, %.0f %% of them the hosts' at %s\n\n",
			count(n.Estimate.Series), count(n.Estimate.SamplesPerSecond), 100*n.Estimate.HostShare, n.Cluster.HostInterval)
		for _, l := range n.Estimate.Lines {
			fmt.Fprintf(&b, "  %-42s %10s %-8s %9s\n", l.What, quantity(l.Quantity), l.Unit, dollars(l.USD))
		}
		fmt.Fprintf(&b, "  %-42s %10s %-8s %9s\n", "all", "", "", dollars(n.Estimate.USD))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown is for a document: the clusters side by side, and what the estimate
// goes by.
func markdown(w io.Writer, all []named, p costs.Prices) error {
	var b strings.Builder
	row := func(first string, cell func(named) string) {
		b.WriteString("| " + first + " |")
		for _, n := range all {
			b.WriteString(" " + cell(n) + " |")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "US dollars a month, list prices of %s as of %s; no free tier, discount or tax.\n\n", p.Region, p.Date)
	row("", func(n named) string { return n.Name })
	b.WriteString("|---|" + strings.Repeat("---:|", len(all)) + "\n")
	row("nodes × vCPUs, pods a node", func(n named) string {
		return fmt.Sprintf("%d × %d, %d", n.Cluster.Nodes, n.Cluster.CPUs, n.Cluster.PodsPerNode)
	})
	row("active series in AMP", func(n named) string { return count(n.Estimate.Series) })
	row("samples a second", func(n named) string { return count(n.Estimate.SamplesPerSecond) })
	row("of them the hosts', at", func(n named) string {
		return fmt.Sprintf("%.0f %%, %s", 100*n.Estimate.HostShare, n.Cluster.HostInterval)
	})
	row("logs, GB a day, kept days", func(n named) string {
		return fmt.Sprintf("%s, %d", quantity(n.Cluster.LogGBPerDay), n.Cluster.LogRetentionDays)
	})
	row("spans kept a second", func(n named) string { return count(n.Cluster.SpansPerSecond) })
	for _, what := range positions(all) {
		row(what, func(n named) string {
			for _, l := range n.Estimate.Lines {
				if l.What == what {
					return dollars(l.USD)
				}
			}
			return ""
		})
	}
	row("**all**", func(n named) string { return "**" + dollars(n.Estimate.USD) + "**" })
	b.WriteString("\nWhat it goes by:\n\n| | | from |\n|---|---|---|\n")
	for _, a := range costs.Assumptions() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", a.What, a.Is, a.From)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// positions are all lines' names in the order of the fullest bill.
func positions(all []named) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range all {
		for _, l := range n.Estimate.Lines {
			if !seen[l.What] {
				seen[l.What] = true
				out = append(out, l.What)
			}
		}
	}
	return out
}

func writePrices(w io.Writer, p costs.Prices) error {
	b, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func describe(c costs.Cluster) string {
	logs := fmt.Sprintf("%s GB of logs a day", quantity(c.LogGBPerDay))
	if c.LogsInCloudWatch {
		logs += fmt.Sprintf(" kept %d days in CloudWatch", c.LogRetentionDays)
	}
	return fmt.Sprintf("%d nodes of %d vCPUs, %d pods each, %s, %s, %s spans a second kept",
		c.Nodes, c.CPUs, c.PodsPerNode, plural(c.Gateways, "gateway"), logs, count(c.SpansPerSecond))
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// count is a whole number with commas.
func count(x float64) string {
	digits := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// quantity has a decimal where it is small.
func quantity(x float64) string {
	if x < 100 && x != float64(int(x)) {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return count(x)
}

// dollars are whole ones; less than one is said so.
func dollars(x float64) string {
	if x < 1 {
		return "< 1"
	}
	return count(x)
}
