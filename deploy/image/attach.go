package main

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const cycloneDX = "application/vnd.cyclonedx+json"

// artifact is a manifest that says something of another (OCI image-spec 1.1,
// "Guidelines for Artifact Usage").
type artifact struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Subject       v1.Descriptor     `json:"subject"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// attach adds a bill of materials to a layout, as a referrer of the image.
func attach(dir layout.Path, image v1.Hash, bom []byte, at time.Time) error {
	subject, err := descriptor(dir, image)
	if err != nil {
		return err
	}
	config, err := blob(dir, []byte("{}"), "application/vnd.oci.empty.v1+json")
	if err != nil {
		return err
	}
	body, err := blob(dir, bom, cycloneDX)
	if err != nil {
		return err
	}
	manifest, err := json.Marshal(artifact{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: cycloneDX,
		Config: config, Layers: []v1.Descriptor{body}, Subject: subject,
		Annotations: map[string]string{"org.opencontainers.image.created": at.Format(time.RFC3339)},
	})
	if err != nil {
		return err
	}
	d, err := blob(dir, manifest, types.OCIManifestSchema1)
	if err != nil {
		return err
	}
	d.ArtifactType = cycloneDX
	return dir.AppendDescriptor(d)
}

// descriptor of a manifest that is in the layout.
func descriptor(dir layout.Path, digest v1.Hash) (v1.Descriptor, error) {
	body, err := dir.Bytes(digest)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: digest, Size: int64(len(body))}, nil
}

func blob(dir layout.Path, body []byte, kind types.MediaType) (v1.Descriptor, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(body))
	if err != nil {
		return v1.Descriptor{}, err
	}
	d := v1.Descriptor{MediaType: kind, Digest: digest, Size: size}
	return d, dir.WriteBlob(digest, io.NopCloser(bytes.NewReader(body)))
}
