package awsfake

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// routeQuery finds an STS operation in a form.
func (c *call) routeQuery() {
	form, err := url.ParseQuery(string(c.raw))
	if err != nil || c.r.Method != http.MethodPost {
		return
	}
	c.action = "sts:" + form.Get("Action")
	switch form.Get("Action") {
	case "GetCallerIdentity":
		c.free = true // needs no permission, and can't be denied
		c.handle = func(c *call) (any, *apiError) { return c.callerIdentity(), nil }
	case "AssumeRole":
		c.handle = func(c *call) (any, *apiError) { return c.assumeRole(form) }
	case "AssumeRoleWithWebIdentity":
		c.free, c.plain = true, true // the token in the form is the credential
		c.handle = func(c *call) (any, *apiError) { return c.assumeRoleWithWebIdentity(form) }
	}
}

func (c *call) callerIdentity() []byte {
	return []byte(fmt.Sprintf(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>%s</Arn><UserId>AROAFAKE:test</UserId><Account>%s</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></GetCallerIdentityResponse>`, xmlText(c.who.arn), Account, requestID))
}

var (
	roleARN     = regexp.MustCompile(`^arn:aws:iam::\d{12}:role/[\w+=,.@/-]+$`)
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
)

// role checks what both AssumeRole operations share and returns the session's ARN
// and lifetime.
func role(form url.Values) (arn string, lifetime time.Duration, err *apiError) {
	role, name := form.Get("RoleArn"), form.Get("RoleSessionName")
	if !roleARN.MatchString(role) {
		return "", 0, &apiError{code: "ValidationError", message: role + " is invalid", violation: true}
	}
	if !sessionName.MatchString(name) {
		return "", 0, &apiError{code: "ValidationError", message: "RoleSessionName " + name + " is invalid", violation: true}
	}
	seconds := 3600
	if given := form.Get("DurationSeconds"); given != "" {
		seconds, _ = strconv.Atoi(given)
	}
	if seconds < 900 || seconds > 43200 {
		return "", 0, &apiError{code: "ValidationError", message: "DurationSeconds must be 900 to 43200", violation: true}
	}
	account := strings.Split(role, ":")[4]
	short := role[strings.LastIndexByte(role, '/')+1:]
	return "arn:aws:sts::" + account + ":assumed-role/" + short + "/" + name, time.Duration(seconds) * time.Second, nil
}

func (c *call) assumeRole(form url.Values) (any, *apiError) {
	arn, lifetime, err := role(form)
	if err != nil {
		return nil, err
	}
	given := form.Get("ExternalId")
	if given != "" && (len(given) < 2 || len(given) > 1224 || !externalID.MatchString(given)) {
		return nil, &apiError{code: "ValidationError", message: "ExternalId " + given + " is invalid", violation: true}
	}
	if want := c.s.options.ExternalID; want != "" && given != want {
		return nil, &apiError{code: "AccessDeniedException", status: http.StatusForbidden, message: "User: " + c.who.arn + " is not authorized to perform: sts:AssumeRole on resource: " + form.Get("RoleArn")}
	}
	return session("AssumeRole", c.s.know(arn, lifetime)), nil
}

func (c *call) assumeRoleWithWebIdentity(form url.Values) (any, *apiError) {
	arn, lifetime, err := role(form)
	if err != nil {
		return nil, err
	}
	if form.Get("WebIdentityToken") != WebIdentityToken {
		return nil, &apiError{code: "InvalidIdentityToken", message: "No OpenIDConnect provider found in your account for the token"}
	}
	return session("AssumeRoleWithWebIdentity", c.s.know(arn, lifetime)), nil
}

// WebIdentityToken is the service account's token that
// AssumeRoleWithWebIdentity and the Pod Identity agent take.
const WebIdentityToken = "header.token-of-a-service-account.signature"

func session(operation string, who issued) []byte {
	return []byte(fmt.Sprintf(`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><AssumedRoleUser><AssumedRoleId>AROAFAKE:session</AssumedRoleId><Arn>%[2]s</Arn></AssumedRoleUser><Credentials><AccessKeyId>%[3]s</AccessKeyId><SecretAccessKey>%[4]s</SecretAccessKey><SessionToken>%[5]s</SessionToken><Expiration>%[6]s</Expiration></Credentials></%[1]sResult><ResponseMetadata><RequestId>%[7]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		operation, xmlText(who.arn), who.AccessKeyID, who.SecretAccessKey, who.SessionToken, who.expires.UTC().Format(time.RFC3339), requestID))
}

// IRSAEnv is the environment that EKS gives a pod with an IAM role for its
// service account: dir takes the token's file.
func (s *Server) IRSAEnv(dir string) ([]string, error) {
	file := dir + "/service-account-token"
	if err := os.WriteFile(file, []byte(WebIdentityToken), 0o600); err != nil {
		return nil, err
	}
	return append(s.EnvWithoutCredentials(),
		"AWS_ROLE_ARN=arn:aws:iam::"+Account+":role/irsa", "AWS_WEB_IDENTITY_TOKEN_FILE="+file,
		"AWS_ROLE_SESSION_NAME=pod", "AWS_EC2_METADATA_DISABLED=true",
	), nil
}

// PodIdentityEnv is the environment that EKS Pod Identity gives a pod.
func (s *Server) PodIdentityEnv(dir string) ([]string, error) {
	file := dir + "/pod-identity-token"
	if err := os.WriteFile(file, []byte(WebIdentityToken), 0o600); err != nil {
		return nil, err
	}
	return append(s.EnvWithoutCredentials(),
		"AWS_CONTAINER_CREDENTIALS_FULL_URI="+s.PodIdentityURL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="+file,
		"AWS_EC2_METADATA_DISABLED=true",
	), nil
}
