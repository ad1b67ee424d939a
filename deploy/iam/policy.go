package iam

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Files are policies/*.json and trust/*.json.
//
//go:embed policies/*.json trust/*.json
var Files embed.FS

// Policy is a policy document.
type Policy struct {
	Version   string
	Statement []Statement
}

// Statement is one sentence of a policy. What Vigie's policies do not use (Deny,
// NotAction, NotResource) is no part of it, so that reading refuses it.
type Statement struct {
	Sid       string
	Effect    string
	Principal map[string]List `json:",omitempty"` // trust policies alone
	Action    List
	Resource  List                       `json:",omitempty"`
	Condition map[string]map[string]List `json:",omitempty"`
}

// List is one string or several.
type List []string

// UnmarshalJSON takes "a" and ["a","b"].
func (l *List) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*l = List{""}
		return json.Unmarshal(b, &(*l)[0])
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// Names are the files' names without .json in a folder, policies or trust.
func Names(folder string) []string {
	entries, _ := Files.ReadDir(folder) // embedded: it is there or the build fails
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".json"))
	}
	return out
}

// Read reads one policy strictly and checks its grammar.
func Read(folder, name string) (*Policy, error) {
	text, err := Files.ReadFile(path.Join(folder, name+".json"))
	if err != nil {
		return nil, err
	}
	p, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s/%s.json: %w", folder, name, err)
	}
	return p, p.Check(folder == "trust")
}

// Parse reads a policy document; unknown and misspelt keys are errors.
func Parse(text []byte) (*Policy, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	p := &Policy{}
	if err := d.Decode(p); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the document")
	}
	return p, nil
}

// Actions are all that the policy allows, sorted, each once.
func (p *Policy) Actions() []string {
	var out []string
	for _, s := range p.Statement {
		out = append(out, s.Action...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z]+)\}`)

// Placeholders are the names in ${…} of a file, sorted.
func Placeholders(folder, name string) ([]string, error) {
	text, err := Files.ReadFile(path.Join(folder, name+".json"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range placeholder.FindAllSubmatch(text, -1) {
		out = append(out, string(m[1]))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Fill puts values for the placeholders; one without a value is an error.
func Fill(text string, values map[string]string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := values[m[2:len(m)-1]]
		if !ok {
			missing = append(missing, m)
		}
		return v
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return out, nil
}
