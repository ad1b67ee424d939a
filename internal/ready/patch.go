package ready

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Setting is one field of an object: what it is and what it should be. Values are
// integers or quantities as text.
type Setting struct {
	Path string `json:"path"` // e.g. spec.minReplicas
	From any    `json:"from"`
	To   any    `json:"to"`
}

// Patch is a change that a person can apply. Nothing here applies it.
type Patch struct {
	APIVersion string    `json:"api_version"`
	Kind       string    `json:"kind"`
	Namespace  string    `json:"namespace,omitempty"`
	Name       string    `json:"name"`
	Why        string    `json:"why"`
	Basis      Basis     `json:"basis"`            // what the numbers rest on
	Caveat     string    `json:"caveat,omitempty"` // what to look at before it is undone
	Set        []Setting `json:"set"`
	Command    string    `json:"command"` // kubectl patch …
}

// autoscalerPatch sets the bounds of a HorizontalPodAutoscaler, or of the KEDA
// object behind it, which would set them back.
func autoscalerPatch(w *Workload, least, most int, why string) *Patch {
	h := w.HPA
	p := &Patch{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler", Namespace: w.Namespace, Name: h.Name, Why: why}
	minKey, maxKey := "spec.minReplicas", "spec.maxReplicas"
	if h.ScaledObject != "" {
		p.APIVersion, p.Kind, p.Name = "keda.sh/v1alpha1", "ScaledObject", h.ScaledObject
		minKey, maxKey = "spec.minReplicaCount", "spec.maxReplicaCount"
		if !h.ByKEDA && h.Min == 1 {
			p.Caveat = "KEDA's own minimum could not be read: the 1 may stand for 0, which an autoscaler does not know."
		}
	}
	if least != h.Min {
		p.Set = append(p.Set, Setting{minKey, h.Min, least})
	}
	if most != h.Max {
		p.Set = append(p.Set, Setting{maxKey, h.Max, most})
	}
	return p
}

func replicasPatch(w *Workload, n int, why string) *Patch {
	return &Patch{APIVersion: "apps/v1", Kind: w.Kind, Namespace: w.Namespace, Name: w.Name, Why: why, Set: []Setting{{"spec.replicas", w.Replicas, n}}}
}

// body is the object with nothing but what the patch sets.
func (p *Patch) body(undo bool) map[string]any {
	root := map[string]any{}
	for _, s := range p.Set {
		at := root
		keys := strings.Split(s.Path, ".")
		for _, k := range keys[:len(keys)-1] {
			next, ok := at[k].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[k] = next
			}
			at = next
		}
		at[keys[len(keys)-1]] = s.To
		if undo {
			at[keys[len(keys)-1]] = s.From
		}
	}
	return root
}

// command is the patch for a shell. Names are those of Kubernetes objects, which
// hold nothing that a shell would read, and are quoted all the same.
func (p *Patch) command() string {
	body, err := json.Marshal(p.body(false))
	if err != nil {
		return ""
	}
	kind := strings.ToLower(p.Kind)
	if group, _, ok := strings.Cut(p.APIVersion, "/"); ok && strings.Contains(group, ".") {
		kind += "." + group // CRDs whose kind another group may have too
	}
	ns := ""
	if p.Namespace != "" {
		ns = "-n " + quote(p.Namespace) + " "
	}
	return "kubectl " + ns + "patch " + kind + " " + quote(p.Name) + " --type merge -p '" + string(body) + "'"
}

func quote(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" && name != "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// WritePatches writes the patches as objects for a server-side apply, with only
// the fields that change; undo writes what they are now.
func (r *Result) WritePatches(w io.Writer, undo bool) error {
	var b strings.Builder
	for _, l := range strings.Split(r.header(undo), "\n") {
		b.WriteString(strings.TrimRight("# "+l, " ") + "\n")
	}
	for i := range r.Patches {
		p := &r.Patches[i]
		meta := map[string]any{"name": p.Name}
		if p.Namespace != "" {
			meta["namespace"] = p.Namespace
		}
		body := p.body(undo)
		body["apiVersion"], body["kind"], body["metadata"] = p.APIVersion, p.Kind, meta
		text, err := yaml.Marshal(body)
		if err != nil {
			return fmt.Errorf("write patch of %s %s: %w", p.Kind, p.Name, err)
		}
		b.WriteString("---\n")
		if !undo {
			b.WriteString("# " + oneLine(p.Why) + "\n")
			if p.Basis == Assumed {
				b.WriteString("# It rests on an assumption: look at its line in the report.\n")
			}
		}
		if undo && p.Caveat != "" {
			b.WriteString("# " + p.Caveat + "\n")
		}
		for _, s := range p.Set {
			from, to := s.From, s.To
			if undo {
				from, to = to, from
			}
			fmt.Fprintf(&b, "# %s: %v → %v\n", s.Path, from, to)
		}
		b.Write(text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) header(undo bool) string {
	if len(r.Patches) == 0 {
		return "vigie ready found nothing to change."
	}
	name := oneLine(r.Event.Name) // a calendar may hold what ends a comment
	act := fmt.Sprintf("Prescaling for %s (kick-off %s).", name, r.Event.KickOff.Format(time.RFC3339))
	when := "Apply it before " + r.Event.ApplyBefore.Format(time.RFC3339) + "."
	if undo {
		act = fmt.Sprintf("What was there before the prescaling for %s.", name)
		when = "Apply it after " + r.Event.UndoAfter.Format(time.RFC3339) + "; pods go as the autoscaler lets them."
	}
	return act + " " + when + `
Only the fields that change are named. Try it first:
  kubectl apply --server-side --force-conflicts --field-manager=vigie-ready --dry-run=server -f FILE
and then without --dry-run. --force-conflicts takes these fields from whoever
set them: what Git sets (Argo CD, Flux, Helm), change in Git, or it is set back.`
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// quantity writes cores as Kubernetes does: whole, or in thousandths.
func quantity(cores float64) string {
	if cores == float64(int64(cores)) {
		return strconv.FormatInt(int64(cores), 10)
	}
	return strconv.FormatInt(int64(cores*1000), 10) + "m"
}

// binary is a size that is read back as the same.
func binary(v int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "Gi"}, {1 << 20, "Mi"}, {1 << 10, "Ki"}} {
		if v%u.size == 0 {
			return strconv.FormatInt(v/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(v, 10)
}

func short0(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }
