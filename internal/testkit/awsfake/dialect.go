package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// dialect is how a service says yes and no on the wire.
type dialect int

const (
	jsonRPC   dialect = iota // AWS JSON 1.1: errors are 400 with __type
	restJSON                 // errors carry X-Amzn-ErrorType and their own status
	query                    // XML
	otlp                     // protobuf: google.rpc.Status
	plainHTTP                // a status, and JSON for people
)

// denied is the status of AccessDeniedException.
func (d dialect) denied() int {
	if d == jsonRPC {
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// status is what an error without one of its own gets.
func (d dialect) status(e *apiError) int {
	switch {
	case e.throttle && d != jsonRPC && d != query:
		return http.StatusTooManyRequests
	case e.throttle, d == jsonRPC && e.status == http.StatusForbidden:
		return http.StatusBadRequest
	case e.status != 0:
		return e.status
	case d != jsonRPC && isAboutCredentials(e.code):
		return http.StatusForbidden
	default:
		return http.StatusBadRequest
	}
}

func isAboutCredentials(code string) bool {
	switch code {
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "IncompleteSignatureException", "MissingAuthenticationTokenException":
		return true
	}
	return false
}

// queryCodes are the names that query services have for what newer ones call
// otherwise.
var queryCodes = map[string]string{
	"ThrottlingException":                 "Throttling",
	"UnrecognizedClientException":         "InvalidClientTokenId",
	"InvalidSignatureException":           "SignatureDoesNotMatch",
	"ExpiredTokenException":               "ExpiredToken",
	"AccessDeniedException":               "AccessDenied",
	"IncompleteSignatureException":        "IncompleteSignature",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"ServiceUnavailableException":         "ServiceUnavailable",
}

func (d dialect) refuse(w http.ResponseWriter, e *apiError) {
	status, h := d.status(e), w.Header()
	if e.retryAfter > 0 && status != http.StatusBadRequest {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.retryAfter.Seconds()))))
	}
	h.Set("X-Amzn-RequestId", requestID)
	switch d {
	case jsonRPC:
		h.Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.code, "message": e.message})
	case query:
		kind, code := "Sender", e.code
		if status >= 500 {
			kind = "Receiver"
		}
		if other, ok := queryCodes[code]; ok {
			code = other
		}
		h.Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`, kind, code, xmlText(e.message), requestID)
	case otlp:
		h.Set("Content-Type", "application/x-protobuf")
		w.WriteHeader(status)
		b, _ := proto.Marshal(&spb.Status{Code: int32(grpcCode(status)), Message: e.Error()})
		_, _ = w.Write(b)
	default:
		code := e.code
		if d == restJSON && e.throttle {
			code = "ThrottledException" // X-Ray's own name
		}
		h.Set("Content-Type", "application/json")
		h.Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": e.message})
	}
}

func (d dialect) answer(w http.ResponseWriter, answer any) {
	h := w.Header()
	h.Set("X-Amzn-RequestId", requestID)
	switch d {
	case jsonRPC, restJSON:
		h.Set("Content-Type", "application/x-amz-json-1.1")
		if answer == nil {
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	case query:
		h.Set("Content-Type", "text/xml")
		_, _ = w.Write(answer.([]byte))
	case otlp:
		h.Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer.([]byte))
	default:
		w.WriteHeader(answer.(int))
	}
}

// requestID stands in every answer; the SDK prints it with each error.
const requestID = "00000000-fake-fake-fake-000000000000"

func grpcCode(status int) codes.Code {
	switch status {
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusInternalServerError:
		return codes.Internal
	default:
		return codes.InvalidArgument
	}
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
