package awsfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What the instance metadata service says of its machine.
const (
	InstanceID   = "i-0fake000000000000"
	InstanceType = "m6i.4xlarge"
	instanceRole = "node"
)

// lifetime of the credentials that the metadata services hand out.
const metadataLifetime = 6 * time.Hour

// serveMetadata is IMDSv2: each read needs a token from PUT /latest/api/token.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	plain := func(e *apiError) { http.Error(w, e.message, plainHTTP.status(e)) }
	if s.interrupt(w, r, s.fault(IMDS, ""), plain) {
		return
	}
	const tokenHeader, ttlHeader = "X-Aws-Ec2-Metadata-Token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	if r.URL.Path == "/latest/api/token" {
		seconds, err := strconv.Atoi(r.Header.Get(ttlHeader))
		if r.Method != http.MethodPut || err != nil || seconds < 1 || seconds > 21600 {
			http.Error(w, "Bad Request", http.StatusBadRequest)
			return
		}
		w.Header().Set(ttlHeader, strconv.Itoa(seconds))
		fmt.Fprint(w, s.metadataToken(time.Duration(seconds)*time.Second))
		return
	}
	s.mu.Lock()
	expires, known := s.tokens[r.Header.Get(tokenHeader)]
	s.mu.Unlock()
	if !known || s.now().After(expires) {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	s.metadata(w, strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/latest/"), "/"))
}

func (s *Server) metadataToken(lifetime time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence++
	token := fmt.Sprintf("imds-token-%d==", s.sequence)
	s.tokens[token] = s.now().Add(lifetime)
	return token
}

func (s *Server) metadata(w http.ResponseWriter, path string) {
	zone := s.Region + "a"
	switch path {
	case "dynamic/instance-identity/document":
		_ = json.NewEncoder(w).Encode(map[string]any{
			"accountId": Account, "architecture": "x86_64", "availabilityZone": zone, "imageId": "ami-0fake",
			"instanceId": InstanceID, "instanceType": InstanceType, "pendingTime": "2026-01-01T00:00:00Z",
			"privateIp": "10.0.0.10", "region": s.Region, "version": "2017-09-30",
		})
	case "meta-data/placement/region":
		fmt.Fprint(w, s.Region)
	case "meta-data/placement/availability-zone":
		fmt.Fprint(w, zone)
	case "meta-data/instance-type":
		fmt.Fprint(w, InstanceType)
	case "meta-data/instance-id":
		fmt.Fprint(w, InstanceID)
	case "meta-data/hostname", "meta-data/local-hostname":
		fmt.Fprint(w, "ip-10-0-0-10."+s.Region+".compute.internal")
	case "meta-data/iam/security-credentials":
		fmt.Fprint(w, instanceRole)
	case "meta-data/iam/security-credentials/" + instanceRole:
		who := s.know("arn:aws:sts::"+Account+":assumed-role/"+instanceRole+"/"+InstanceID, metadataLifetime)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": s.now().UTC().Format(time.RFC3339),
			"AccessKeyId": who.AccessKeyID, "SecretAccessKey": who.SecretAccessKey, "Token": who.SessionToken,
			"Expiration": who.expires.UTC().Format(time.RFC3339),
		})
	default:
		http.Error(w, "Not Found", http.StatusNotFound)
	}
}

// servePodIdentity is the agent that EKS Pod Identity runs on each node.
func (s *Server) servePodIdentity(w http.ResponseWriter, r *http.Request) {
	plain := func(e *apiError) { http.Error(w, e.message, plainHTTP.status(e)) }
	if s.interrupt(w, r, s.fault(PodIdentity, ""), plain) {
		return
	}
	switch {
	case r.URL.Path != "/v1/credentials" || r.Method != http.MethodGet:
		http.Error(w, "404 page not found", http.StatusNotFound)
	case r.Header.Get("Authorization") == "":
		http.Error(w, "Service account token cannot be empty", http.StatusBadRequest)
	case r.Header.Get("Authorization") != WebIdentityToken:
		http.Error(w, "unauthorized: token is not valid", http.StatusForbidden)
	default:
		who := s.know("arn:aws:sts::"+Account+":assumed-role/pod/eks-fake", metadataLifetime)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"AccessKeyId": who.AccessKeyID, "SecretAccessKey": who.SecretAccessKey, "Token": who.SessionToken,
			"AccountId": Account, "Expiration": who.expires.UTC().Format(time.RFC3339),
		})
	}
}
