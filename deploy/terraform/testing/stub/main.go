// Command stub is a Terraform provider that has a schema and nothing else: enough
// to validate a module, and to test it where the providers are mocked, without a
// registry and without any cloud's SDK. It plans nothing and makes nothing.
//
// The schema is schema.json beside the executable, as ../schema.mjs writes it;
// the executable's name says which provider it stands for.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "stub provider:", err)
		os.Exit(1)
	}
}

func run() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "schema.json"))
	if err != nil {
		return err
	}
	p, err := read(text)
	if err != nil {
		return fmt.Errorf("schema.json: %w", err)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(exe), "terraform-provider-"), "_")
	return tf6server.Serve("registry.terraform.io/stub/"+name, func() tfprotov6.ProviderServer { return p })
}

// attribute and block are what schema.json holds.
type attribute struct {
	Type                         any
	Required, Optional, Computed bool
}

type block struct {
	Nesting    string
	Required   bool
	Attributes map[string]attribute
	Blocks     map[string]block
}

// stub answers what Terraform asks before it plans; asking more than that is an
// error by the interface that it leaves empty.
type stub struct {
	tfprotov6.ProviderServer
	provider        *tfprotov6.Schema
	resources, data map[string]*tfprotov6.Schema
}

func read(text []byte) (*stub, error) {
	var from struct {
		Provider  block
		Resources map[string]block
		Data      map[string]block
	}
	if err := json.Unmarshal(text, &from); err != nil {
		return nil, err
	}
	s := &stub{provider: &tfprotov6.Schema{Block: from.Provider.schema()}, resources: map[string]*tfprotov6.Schema{}, data: map[string]*tfprotov6.Schema{}}
	for name, b := range from.Resources {
		s.resources[name] = &tfprotov6.Schema{Block: b.schema()}
	}
	for name, b := range from.Data {
		s.data[name] = &tfprotov6.Schema{Block: b.schema()}
	}
	return s, nil
}

func (b block) schema() *tfprotov6.SchemaBlock {
	out := &tfprotov6.SchemaBlock{}
	for name, a := range b.Attributes {
		out.Attributes = append(out.Attributes, &tfprotov6.SchemaAttribute{
			Name: name, Type: kind(a.Type), Required: a.Required, Computed: a.Computed,
			Optional: a.Optional || !a.Required && !a.Computed,
		})
	}
	nestings := map[string]tfprotov6.SchemaNestedBlockNestingMode{
		"list": tfprotov6.SchemaNestedBlockNestingModeList, "set": tfprotov6.SchemaNestedBlockNestingModeSet, "single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	}
	for name, inner := range b.Blocks {
		nested := &tfprotov6.SchemaNestedBlock{TypeName: name, Block: inner.schema(), Nesting: nestings[inner.Nesting]}
		if inner.Required && inner.Nesting != "single" {
			nested.MinItems = 1
		}
		out.BlockTypes = append(out.BlockTypes, nested)
	}
	return out
}

func kind(t any) tftypes.Type {
	switch t := t.(type) {
	case string:
		return map[string]tftypes.Type{"string": tftypes.String, "number": tftypes.Number, "bool": tftypes.Bool, "dynamic": tftypes.DynamicPseudoType}[t]
	case []any:
		element := kind(t[1])
		switch t[0] {
		case "set":
			return tftypes.Set{ElementType: element}
		case "map":
			return tftypes.Map{ElementType: element}
		}
		return tftypes.List{ElementType: element}
	}
	return tftypes.DynamicPseudoType
}

func (s *stub) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	out := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}
	for name := range s.resources {
		out.Resources = append(out.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range s.data {
		out.DataSources = append(out.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return out, nil
}

func (s *stub) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		Provider: s.provider, ResourceSchemas: s.resources, DataSourceSchemas: s.data, ServerCapabilities: &tfprotov6.ServerCapabilities{},
	}, nil
}

func (*stub) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (*stub) ValidateProviderConfig(_ context.Context, q *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: q.Config}, nil
}

func (*stub) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (*stub) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

// UpgradeResourceState gives a state back as it is: OpenTofu asks, for mocked
// providers too.
func (s *stub) UpgradeResourceState(_ context.Context, q *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	t := s.resources[q.TypeName].ValueType()
	value, err := q.RawState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	same, err := tfprotov6.NewDynamicValue(t, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &same}, err
}

func (*stub) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}
