package dashboardscmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// importer brings dashboards into one folder of one Grafana.
type importer struct {
	client  *client
	options importOptions
	out     io.Writer
}

// What becomes of a dashboard.
const (
	created   = "created"
	updated   = "updated"
	unchanged = "unchanged"
)

// run imports all, goes on after a dashboard that Grafana refuses, and tells
// every refusal. A token that is not taken ends it at once.
func (im *importer) run(ctx context.Context, boards []board) error {
	chosen, err := im.chosenSource(ctx)
	if err != nil {
		return err
	}
	folder, err := im.folder(ctx)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	var errs []error
	for _, b := range boards {
		chosen.choose(b.body)
		what, err := im.put(ctx, b, folder)
		if err != nil {
			errs = append(errs, err)
			if is(err, http.StatusUnauthorized) || ctx.Err() != nil {
				break
			}
			continue
		}
		counts[what]++
		im.say(what, b.uid, b.title)
	}
	fmt.Fprintf(im.out, "%d created, %d updated, %d unchanged%s\n", counts[created], counts[updated], counts[unchanged], im.dry())
	return errors.Join(errs...)
}

func (im *importer) say(what, uid, title string) {
	fmt.Fprintf(im.out, "%-9s  %-20s  %s\n", what, uid, title)
}

func (im *importer) dry() string {
	if im.options.dryRun {
		return "; nothing was written (--dry-run)"
	}
	return ""
}

// folder finds the folder by uid, then by name, then makes it; it gives its uid.
func (im *importer) folder(ctx context.Context) (string, error) {
	uid := im.options.folderUID
	if uid == "" {
		uid = slug(im.options.folder)
	}
	if uid == "" || len(uid) > 40 {
		return "", fmt.Errorf("--folder %q gives no uid of up to 40 characters: give one with --folder-uid", im.options.folder)
	}
	type folder struct {
		UID   string `json:"uid"`
		Title string `json:"title"`
	}
	err := im.client.call(ctx, "look for folder "+uid, "folders:read", http.MethodGet, "/api/folders/"+url.PathEscape(uid), nil, &folder{})
	if err == nil || !is(err, http.StatusNotFound) {
		return uid, err
	}
	var all []folder
	if err := im.client.call(ctx, "list folders", "folders:read", http.MethodGet, "/api/folders?limit=1000", nil, &all); err != nil {
		return "", err
	}
	for _, f := range all {
		if f.Title == im.options.folder && im.options.folderUID == "" {
			return f.UID, nil
		}
	}
	im.say(created, uid, "folder "+im.options.folder)
	if im.options.dryRun {
		return uid, nil
	}
	err = im.client.call(ctx, "make folder "+im.options.folder, "folders:create", http.MethodPost, "/api/folders", folder{uid, im.options.folder}, nil)
	return uid, err
}

// slug is a name as a uid: lower case, what is no letter or digit a dash.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}

// put creates or updates one dashboard, or leaves it alone.
func (im *importer) put(ctx context.Context, b board, folder string) (string, error) {
	var there struct {
		Dashboard map[string]any `json:"dashboard"`
		Meta      struct {
			FolderUID string `json:"folderUid"`
		} `json:"meta"`
	}
	err := im.client.call(ctx, "look for dashboard "+b.uid, "dashboards:read", http.MethodGet, "/api/dashboards/uid/"+url.PathEscape(b.uid), nil, &there)
	what := updated
	switch {
	case is(err, http.StatusNotFound):
		what = created
	case err != nil:
		return "", err
	case there.Meta.FolderUID == folder && covers(there.Dashboard, own(b.body)):
		return unchanged, nil
	}
	if im.options.dryRun {
		return what, nil
	}
	need := "dashboards:write"
	if what == created {
		need = "dashboards:create on folder " + folder
	}
	// A new one is not to replace another of the same title: Grafana then says
	// name-exists. One that is there is ours by its uid.
	return what, im.client.call(ctx, "save dashboard "+b.uid, need, http.MethodPost, "/api/dashboards/db", map[string]any{
		"dashboard": own(b.body),
		"folderUid": folder,
		"overwrite": what == updated,
		"message":   "vigie dashboards import",
	}, nil)
}

// own is a dashboard without what belongs to the Grafana that it is in.
func own(body map[string]any) map[string]any {
	out := make(map[string]any, len(body))
	for k, v := range body {
		if k != "id" && k != "version" {
			out[k] = v
		}
	}
	return out
}

// covers reports whether everything that want says is so in have. Grafana adds
// fields with their defaults as it saves, so have may say more; an empty value of
// ours may be missing there.
func covers(have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return len(w) == 0 && have == nil
		}
		for k, v := range w {
			if !covers(h[k], v) {
				return false
			}
		}
		return true
	case []any:
		h, _ := have.([]any)
		if len(h) != len(w) {
			return false
		}
		for i := range w {
			if !covers(h[i], w[i]) {
				return false
			}
		}
		return true
	case nil:
		return have == nil
	case string:
		return have == want || w == "" && have == nil
	case bool:
		return have == want || !w && have == nil
	case float64:
		return have == want || w == 0 && have == nil
	}
	return false
}

// dataSource is what the dashboards' variable is set to; the zero value leaves
// it to Grafana.
type dataSource struct{ uid, name string }

// chosenSource looks the data source up. Where the token may not, it is taken as
// it was given.
func (im *importer) chosenSource(ctx context.Context) (dataSource, error) {
	uid := im.options.datasource
	if uid == "" {
		return dataSource{}, nil
	}
	var d struct{ Name, Type string }
	err := im.client.call(ctx, "look for data source "+uid, "datasources:read", http.MethodGet, "/api/datasources/uid/"+url.PathEscape(uid), nil, &d)
	switch {
	case is(err, http.StatusForbidden):
		return dataSource{uid, uid}, nil
	case is(err, http.StatusNotFound):
		return dataSource{}, fmt.Errorf("--datasource-uid %s: Grafana has no such data source; its uid stands in the address of its settings page", uid)
	case err != nil:
		return dataSource{}, err
	case !strings.Contains(d.Type, "prometheus"):
		return dataSource{}, fmt.Errorf("--datasource-uid %s: %s is of type %s, and the dashboards ask a Prometheus", uid, d.Name, d.Type)
	}
	return dataSource{uid, d.Name}, nil
}

// choose sets the dashboard's variable of Prometheus data sources, if it has one.
func (d dataSource) choose(body map[string]any) {
	if d.uid == "" {
		return
	}
	templating, _ := body["templating"].(map[string]any)
	list, _ := templating["list"].([]any)
	for _, v := range list {
		if v, ok := v.(map[string]any); ok && v["type"] == "datasource" && v["query"] == "prometheus" {
			v["current"] = map[string]any{"selected": true, "text": d.name, "value": d.uid}
		}
	}
}

// encoded is v as JSON that a person can read, with a line's end.
func encoded(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	return append(raw, '\n'), err
}
