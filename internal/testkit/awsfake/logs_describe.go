package awsfake

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// page cuts a sorted list as nextToken and limit say; the token is a position.
func page[T any](all []T, token string, limit int) (part []T, next string, err *apiError) {
	if limit == 0 {
		limit = 50
	}
	from := 0
	if token != "" {
		var e error
		if from, e = strconv.Atoi(token); e != nil || from < 0 || from > len(all) {
			return nil, "", invalid("The specified nextToken is invalid.")
		}
	}
	if limit < 1 || limit > 50 {
		return nil, "", invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and 50", limit)
	}
	to := min(from+limit, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next, nil
}

func (c *call) describeLogGroups() (any, *apiError) {
	var in struct {
		Prefix  string `json:"logGroupNamePrefix"`
		Pattern string `json:"logGroupNamePattern"`
		Limit   int    `json:"limit"`
		Token   string `json:"nextToken"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Prefix != "" && in.Pattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var all []map[string]any
	for _, name := range slices.Sorted(maps.Keys(c.s.logs.groups)) {
		if !strings.HasPrefix(name, in.Prefix) || !strings.Contains(strings.ToLower(name), strings.ToLower(in.Pattern)) {
			continue
		}
		g := c.s.logs.groups[name]
		entry := map[string]any{
			"logGroupName": name, "logGroupClass": g.Class, "creationTime": g.Created.UnixMilli(),
			"arn": c.s.groupARN(name) + ":*", "logGroupArn": c.s.groupARN(name),
			"metricFilterCount": 0, "storedBytes": 0,
		}
		if g.RetentionDays > 0 {
			entry["retentionInDays"] = g.RetentionDays
		}
		if g.KMSKey != "" {
			entry["kmsKeyId"] = g.KMSKey
		}
		all = append(all, entry)
	}
	part, next, err := page(all, in.Token, in.Limit)
	return described("logGroups", part, next), err
}

func (c *call) describeLogStreams() (any, *apiError) {
	var in struct {
		Group  string `json:"logGroupName"`
		Prefix string `json:"logStreamNamePrefix"`
		Limit  int    `json:"limit"`
		Token  string `json:"nextToken"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.logs.groups[in.Group]
	if g == nil {
		return nil, notFound("log group")
	}
	var all []map[string]any
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if strings.HasPrefix(name, in.Prefix) {
			all = append(all, map[string]any{
				"logStreamName": name, "creationTime": g.streams[name].created.UnixMilli(), "storedBytes": 0,
				"arn": c.s.groupARN(in.Group) + ":log-stream:" + name,
			})
		}
	}
	part, next, err := page(all, in.Token, in.Limit)
	return described("logStreams", part, next), err
}

// described leaves nextToken out on the last page, as the service does.
func described(name string, part []map[string]any, next string) map[string]any {
	if part == nil {
		part = []map[string]any{}
	}
	out := map[string]any{name: part}
	if next != "" {
		out["nextToken"] = next
	}
	return out
}
