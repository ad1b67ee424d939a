package iam_test

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
)

// prefixes are IAM's names of the SDK's clients.
var prefixes = map[string]string{
	"cloudwatchlogs": "logs", "eventbridge": "events", "xray": "xray", "sts": "sts", "wafv2": "wafv2", "ec2": "ec2",
	"eks": "eks", "amp": "aps", "sns": "sns", "autoscaling": "autoscaling", "servicequotas": "servicequotas",
}

// targets are IAM's names of the services in an X-Amz-Target header.
var targets = map[string]string{"Logs_20140328": "logs", "AWSEvents": "events"}

// needless are calls that no policy has to allow, and why.
var needless = map[string]string{
	"sts:GetCallerIdentity": "STS answers it to whoever holds credentials, even where a policy denies it",
}

const sdk = "github.com/aws/aws-sdk-go-v2/service/"

// source is the code of some packages, type-checked.
type source struct {
	t    *testing.T
	pkgs map[string]*packages.Package
}

// load reads packages without their tests, on export data that building them has
// left in the cache.
func load(t *testing.T, patterns ...string) *source {
	t.Helper()
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedExportFile,
		Dir:  "../..",
	}, patterns...)
	require.NoError(t, err)
	s := &source{t, map[string]*packages.Package{}}
	for _, p := range pkgs {
		require.Empty(t, p.Errors, p.PkgPath)
		s.pkgs[p.PkgPath] = p
	}
	return s
}

var (
	rawTarget = regexp.MustCompile(`^([A-Za-z]+_?\d*)\.([A-Z][A-Za-z]+)$`)
	rawQuery  = regexp.MustCompile(`(?:^|[?&])Action=([A-Z][A-Za-z]+)`)
)

// calls are the IAM actions that a package's code asks for: methods of the SDK's
// clients, requests written by hand (their X-Amz-Target or Action), and what IAM
// wants besides.
func (s *source) calls(path string) []string {
	s.t.Helper()
	p := s.pkgs[path]
	require.NotNil(s.t, p, path)
	found := map[string]bool{}
	for _, file := range p.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if action := operation(p.TypesInfo.Uses[n.Sel]); action != "" {
					found[action] = true
				}
			case *ast.CompositeLit:
				if implied := byInput(p.TypesInfo, n); implied != "" {
					found[implied] = true
				}
			case *ast.CallExpr:
				if action := byHand(p.TypesInfo, n); action != "" {
					found[action] = true
				}
			}
			return true
		})
	}
	var out []string
	for action := range found {
		if needless[action] == "" {
			out = append(out, action)
		}
	}
	slices.Sort(out)
	return out
}

// operation is the action of a method that is one of an SDK client's operations,
// or of an interface that stands for one: it takes an …Input of the service.
func operation(o types.Object) string {
	f, ok := o.(*types.Func)
	if !ok {
		return ""
	}
	sig := f.Signature()
	if sig.Recv() == nil || sig.Params().Len() < 2 || sig.Results().Len() != 2 {
		return ""
	}
	ptr, ok := sig.Params().At(1).Type().(*types.Pointer)
	if !ok {
		return ""
	}
	named, ok := ptr.Elem().(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Name() != f.Name()+"Input" {
		return ""
	}
	service, ok := strings.CutPrefix(named.Obj().Pkg().Path(), sdk)
	if !ok {
		return ""
	}
	prefix := prefixes[service]
	if prefix == "" {
		prefix = "unknown-service-" + service // fails the comparison by name
	}
	return prefix + ":" + f.Name()
}

// byInput is what a request's fields ask for beside its own action.
func byInput(info *types.Info, lit *ast.CompositeLit) string {
	named, ok := info.TypeOf(lit).(*types.Named)
	if !ok || named.Obj().Name() != "CreateLogGroupInput" {
		return ""
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Tags" {
				return "logs:TagResource"
			}
		}
	}
	return ""
}

// byHand is the action of Header.Set("X-Amz-Target", "Logs_20140328.PutLogEvents")
// and of url.Values.Set("Action", "DescribeSubnets").
func byHand(info *types.Info, call *ast.CallExpr) string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Set" || len(call.Args) != 2 {
		return ""
	}
	key, value := text(info, call.Args[0]), text(info, call.Args[1])
	switch {
	case strings.EqualFold(key, "X-Amz-Target"):
		if m := rawTarget.FindStringSubmatch(value); m != nil {
			return targets[m[1]] + ":" + m[2]
		}
	case key == "Action" && value != "":
		return "ec2:" + value // the only query service that is asked by hand
	}
	return ""
}

func text(info *types.Info, e ast.Expr) string {
	if v := info.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	return ""
}

// queries are the actions of query requests that are written as one string,
// "Action=DescribeSubnets&…", or as a map's entry.
func (s *source) queries(path, service string) []string {
	s.t.Helper()
	p := s.pkgs[path]
	require.NotNil(s.t, p, path)
	var out []string
	for _, file := range p.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					if m := rawQuery.FindStringSubmatch(text(p.TypesInfo, n)); m != nil {
						out = append(out, service+":"+m[1])
					}
				}
			case *ast.KeyValueExpr:
				if text(p.TypesInfo, n.Key) != "Action" {
					break
				}
				ast.Inspect(n.Value, func(v ast.Node) bool {
					if lit, ok := v.(*ast.BasicLit); ok {
						out = append(out, service+":"+text(p.TypesInfo, lit))
					}
					return true
				})
			}
			return true
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// signed are the actions by the end of a signed request's path, read out of the
// table in the signer: case strings.HasSuffix(path, "/v1/traces"): return "xray:…".
func (s *source) signed(path string) map[string]string {
	s.t.Helper()
	p := s.pkgs[path]
	require.NotNil(s.t, p, path)
	out := map[string]string{}
	for _, file := range p.Syntax {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != "action" {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				c, ok := n.(*ast.CaseClause)
				if !ok || len(c.List) != 1 || len(c.Body) != 1 {
					return true
				}
				cond, isCall := c.List[0].(*ast.CallExpr)
				ret, isReturn := c.Body[0].(*ast.ReturnStmt)
				if isCall && isReturn && len(cond.Args) == 2 {
					out[text(p.TypesInfo, cond.Args[1])] = text(p.TypesInfo, ret.Results[0])
				}
				return true
			})
		}
	}
	require.NotEmpty(s.t, out, "%s has no func action any more", path)
	return out
}

// strings are the string literals in a function's body.
func (s *source) strings(path, function string) (out []string) {
	s.t.Helper()
	p := s.pkgs[path]
	require.NotNil(s.t, p, path)
	for _, file := range p.Syntax {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != function || f.Recv != nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					out = append(out, text(p.TypesInfo, lit))
				}
				return true
			})
		}
	}
	return out
}

// has reports whether a package's code holds a string that ends so.
func (s *source) has(path, ending string) (found bool) {
	p := s.pkgs[path]
	for _, file := range p.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.HasSuffix(text(p.TypesInfo, lit), ending) {
				found = true
			}
			return !found
		})
	}
	return found
}
