package cloudmetadataprocessor

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// eksRegion reads the issuer of a service account's token, which on EKS is
// https://oidc.eks.REGION.amazonaws.com/id/… (or, in China, .amazonaws.com.cn;
// dual-stack, https://oidc-eks.REGION.api.aws/id/…). ok says that it is. The
// signature is not checked: who can write the pod's own token can write its
// configuration, too. Nothing else of the token is looked at.
//
// Contrib's detector asks the API server for its version or for the aws-auth
// map: calls that need a network, and a permission that newer clusters do not
// give.
func eksRegion(token []byte) (region string, ok bool) {
	parts := bytes.Split(bytes.TrimSpace(token), []byte("."))
	if len(parts) != 3 {
		return "", false
	}
	payload := make([]byte, base64.RawURLEncoding.DecodedLen(len(parts[1])))
	if _, err := base64.RawURLEncoding.Decode(payload, parts[1]); err != nil {
		return "", false
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return "", false
	}
	u, err := url.Parse(claims.Issuer)
	if err != nil || u.Scheme != "https" {
		return "", false
	}
	host := u.Hostname()
	if rest, ok := strings.CutPrefix(host, "oidc.eks."); ok {
		for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn"} {
			if region, ok := strings.CutSuffix(rest, domain); ok {
				return regionOf(region)
			}
		}
	}
	if rest, ok := strings.CutPrefix(host, "oidc-eks."); ok {
		if i := strings.IndexByte(rest, '.'); i > 0 && strings.HasPrefix(rest[i:], ".api.") {
			return regionOf(rest[:i])
		}
	}
	return "", false
}

// regionOf takes what may be a region's name: no more than one label.
func regionOf(s string) (string, bool) {
	return s, s != "" && len(s) < 40 && !strings.Contains(s, ".")
}
