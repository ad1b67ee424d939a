package cluster

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
)

// auditPolicy writes down who of the vigie namespace asked for what, and, for what
// is asked of a kubelet, the kubelet's own question to the API server with its
// answer.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  resources: [{group: authorization.k8s.io, resources: [subjectaccessreviews]}]
- level: Metadata
  userGroups: ["system:serviceaccounts:vigie"]
- level: None
`

// Audit is the API server's record.
type Audit struct{ path string }

// Call is one request that an account made, or that a kubelet asked about.
type Call struct {
	ID      string
	Account string // name of the ServiceAccount
	Pod     string // that used it, where the token says so
	Verb    string
	Group   string
	What    string // resource, with "/" and the subresource; or the path
	URI     string
	Allowed bool
	Reason  string
	Begun   bool // a watch: its stream has begun
	Ended   bool
}

// event is the part of an audit event that is read.
type event struct {
	AuditID    string
	Stage      string
	Verb       string
	RequestURI string
	User       struct {
		Username string
		Extra    map[string][]string
	}
	ObjectRef *struct {
		Resource, Subresource, APIGroup string
	}
	Annotations    map[string]string
	ResponseObject json.RawMessage
}

// review is the kubelet's question and the API server's answer.
type review struct {
	Kind string
	Spec struct {
		User                  string
		Extra                 map[string][]string
		ResourceAttributes    *struct{ Verb, Group, Resource, Subresource string }
		NonResourceAttributes *struct{ Verb, Path string }
	}
	Status struct {
		Allowed bool
		Reason  string
	}
}

const (
	podName = "authentication.kubernetes.io/pod-name"
	account = "system:serviceaccount:vigie:"
)

// Calls are those of the accounts in the vigie namespace, in order. A call that
// has two stages is there twice, with the same ID.
func (a *Audit) Calls() ([]Call, error) {
	b, err := os.ReadFile(a.path)
	if err != nil {
		return nil, err
	}
	return parseAudit(b)
}

func parseAudit(log []byte) ([]Call, error) {
	var calls []Call
	for line := range bytes.Lines(log) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // still being written
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		if c, ok := e.call(); ok {
			calls = append(calls, c)
		}
	}
	return calls, nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func join(resource, sub string) string {
	if sub == "" {
		return resource
	}
	return resource + "/" + sub
}

// call is what an event tells of one of the accounts.
func (e *event) call() (Call, bool) {
	if name, ok := strings.CutPrefix(e.User.Username, account); ok {
		c := Call{
			ID: e.AuditID, Account: name, Pod: first(e.User.Extra[podName]), Verb: e.Verb, URI: e.RequestURI,
			Allowed: e.Annotations["authorization.k8s.io/decision"] == "allow", Reason: e.Annotations["authorization.k8s.io/reason"],
			Begun: e.Stage == "ResponseStarted", Ended: e.Stage == "ResponseComplete",
		}
		if e.ObjectRef != nil {
			c.Group, c.What = e.ObjectRef.APIGroup, join(e.ObjectRef.Resource, e.ObjectRef.Subresource)
		} else {
			c.What, _, _ = strings.Cut(e.RequestURI, "?")
		}
		return c, true
	}
	if e.Stage != "ResponseComplete" || e.ObjectRef == nil || e.ObjectRef.Resource != "subjectaccessreviews" {
		return Call{}, false
	}
	var asked review
	if err := json.Unmarshal(e.ResponseObject, &asked); err != nil {
		return Call{}, false // it was not answered
	}
	name, ok := strings.CutPrefix(asked.Spec.User, account)
	if !ok {
		return Call{}, false
	}
	c := Call{ID: e.AuditID, Account: name, Pod: first(asked.Spec.Extra[podName]), Allowed: asked.Status.Allowed, Reason: asked.Status.Reason, URI: "the kubelet", Ended: true}
	switch r, n := asked.Spec.ResourceAttributes, asked.Spec.NonResourceAttributes; {
	case r != nil:
		c.Verb, c.Group, c.What = r.Verb, r.Group, join(r.Resource, r.Subresource)
	case n != nil:
		c.Verb, c.What = n.Verb, n.Path
	}
	return c, true
}
