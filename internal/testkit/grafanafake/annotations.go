package grafanafake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Annotation as Grafana keeps it. Times are milliseconds since the epoch.
type Annotation struct {
	ID           int64          `json:"id"`
	DashboardUID string         `json:"dashboardUID"`
	PanelID      int64          `json:"panelId"`
	Time         int64          `json:"time"`
	TimeEnd      int64          `json:"timeEnd"`
	Text         string         `json:"text"`
	Tags         []string       `json:"tags"`
	Data         map[string]any `json:"data"`
	Created      int64          `json:"created"`
	Updated      int64          `json:"updated"`
}

// Region reports whether it is drawn as a region rather than a line.
func (a Annotation) Region() bool { return a.TimeEnd > a.Time }

// body is what is posted and patched; a pointer tells missing from empty.
type body struct {
	DashboardUID string         `json:"dashboardUID"`
	DashboardID  int64          `json:"dashboardId"`
	PanelID      int64          `json:"panelId"`
	Time         int64          `json:"time"`
	TimeEnd      int64          `json:"timeEnd"`
	Text         string         `json:"text"`
	Tags         []string       `json:"tags"`
	Data         map[string]any `json:"data"`
}

func (s *Server) annotationsLocked(w http.ResponseWriter, r *http.Request) int {
	need := map[string]string{http.MethodGet: Read, http.MethodPost: Create, http.MethodPatch: Write}[r.Method]
	if need == "" {
		return refuse(w, http.StatusNotFound, "Not found")
	}
	if !s.may[need] {
		return refuse(w, http.StatusForbidden, "You'll need additional permissions to perform this action. Permissions needed: "+need)
	}
	id, one := strings.CutPrefix(r.URL.Path, "/api/annotations/")
	switch {
	case r.Method == http.MethodGet && !one:
		return reply(w, http.StatusOK, s.findLocked(r.URL.Query()))
	case r.Method == http.MethodPost && !one:
		return s.createLocked(w, r)
	case r.Method == http.MethodPatch && one, r.Method == http.MethodGet && one:
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return refuse(w, http.StatusBadRequest, "annotationId is invalid")
		}
		i := slices.IndexFunc(s.annotations, func(a Annotation) bool { return a.ID == n })
		if i < 0 {
			return refuse(w, http.StatusNotFound, "Annotation not found")
		}
		if r.Method == http.MethodGet {
			return reply(w, http.StatusOK, s.annotations[i])
		}
		return s.patchLocked(w, r, &s.annotations[i])
	}
	return refuse(w, http.StatusNotFound, "Not found")
}

func decode(r *http.Request) (body, error) {
	var b body
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return b, err
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return b, errors.New("Content-Type is not application/json")
	}
	return b, json.Unmarshal(raw, &b)
}

func (s *Server) createLocked(w http.ResponseWriter, r *http.Request) int {
	b, err := decode(r)
	if err != nil {
		return refuse(w, http.StatusBadRequest, "bad request data")
	}
	if b.DashboardUID != "" && !s.dashboards[b.DashboardUID] {
		return refuse(w, http.StatusNotFound, "Dashboard not found")
	}
	if b.Text == "" {
		return refuse(w, http.StatusBadRequest, "Failed to save annotation: text field should not be empty")
	}
	now := time.Now().UnixMilli()
	a := Annotation{
		DashboardUID: b.DashboardUID, PanelID: b.PanelID, Time: b.Time, TimeEnd: b.TimeEnd,
		Text: b.Text, Tags: joined(b.Tags), Data: b.Data, Created: now, Updated: now,
	}
	if a.Time == 0 {
		a.Time = now
	}
	if status, err := a.settle(); err != nil {
		return refuse(w, status, err.Error())
	}
	s.last++
	a.ID = s.last
	s.annotations = append(s.annotations, a)
	return reply(w, http.StatusOK, map[string]any{"id": a.ID, "message": "Annotation added"})
}

// patchLocked changes what was sent; empty and zero leave what is.
func (s *Server) patchLocked(w http.ResponseWriter, r *http.Request, kept *Annotation) int {
	b, err := decode(r)
	if err != nil {
		return refuse(w, http.StatusBadRequest, "bad request data")
	}
	a := *kept
	if b.Text != "" {
		a.Text = b.Text
	}
	if b.Tags != nil {
		a.Tags = joined(b.Tags)
	}
	if b.Time > 0 {
		a.Time = b.Time
	}
	if b.TimeEnd > 0 {
		a.TimeEnd = b.TimeEnd
	}
	if b.Data != nil {
		a.Data = b.Data
	}
	if status, err := a.settle(); err != nil {
		return refuse(w, status, err.Error())
	}
	a.Updated = time.Now().UnixMilli()
	*kept = a
	return reply(w, http.StatusOK, map[string]any{"message": "Annotation patched"})
}

// settle orders the times and checks the tags, as Grafana's store does before it
// writes.
func (a *Annotation) settle() (int, error) {
	if a.TimeEnd == 0 {
		a.TimeEnd = a.Time
	}
	if a.TimeEnd < a.Time {
		a.Time, a.TimeEnd = a.TimeEnd, a.Time
	}
	length := 2
	for i, t := range a.Tags {
		length += len(t) + 2 + min(i, 1)
		key, value, _ := strings.Cut(t, ":")
		if utf8.RuneCountInString(key) > 100 || utf8.RuneCountInString(value) > 100 {
			return http.StatusInternalServerError, errors.New("Failed to save annotation") // the database's columns
		}
	}
	if length > 500 {
		return http.StatusBadRequest, fmt.Errorf("tags length (%d) exceeds the maximum allowed (500)", length)
	}
	return 0, nil
}

// joined are tags as they come back: trimmed, none empty, none twice.
func joined(tags []string) []string {
	out := []string{}
	for _, t := range tags {
		key, value, ok := strings.Cut(t, ":")
		if key = strings.TrimSpace(key); ok && strings.TrimSpace(value) != "" {
			key += ":" + strings.TrimSpace(value)
		}
		if key != "" && !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

func (s *Server) findLocked(q url.Values) []Annotation {
	number := func(key string) int64 {
		n, _ := strconv.ParseInt(q.Get(key), 10, 64)
		return n
	}
	from, to, limit := number("from"), number("to"), number("limit")
	if limit == 0 {
		limit = 100
	}
	want := joined(q["tags"])
	out := []Annotation{}
	for _, a := range s.annotations {
		switch {
		case from > 0 && to > 0 && (a.Time > to || a.TimeEnd < from),
			number("panelId") != 0 && number("panelId") != a.PanelID,
			q.Get("dashboardUID") != "" && q.Get("dashboardUID") != a.DashboardUID,
			q.Get("type") == "alert",
			!matches(a.Tags, want, q.Get("matchAny") == "true"):
		default:
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b Annotation) int {
		if a.TimeEnd != b.TimeEnd {
			return int(b.TimeEnd - a.TimeEnd)
		}
		return int(b.Time - a.Time)
	})
	return out[:min(int64(len(out)), limit)]
}

func matches(have, want []string, matchAny bool) bool {
	if len(want) == 0 {
		return true
	}
	n := 0
	for _, h := range have {
		if slices.ContainsFunc(want, func(w string) bool {
			key, value, _ := strings.Cut(h, ":")
			k, v, _ := strings.Cut(w, ":")
			return key == k && (v == "" || v == value)
		}) {
			n++
		}
	}
	return matchAny && n > 0 || !matchAny && n == len(want)
}
