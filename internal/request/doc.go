// Package request holds the one shape in which every part of Vigie speaks of
// an HTTP request.
//
// A Request enters from internal/accesslog (a raw access-log line) or from the
// HTTP semantic conventions on a log record or server span; it leaves to
// internal/detect. Its byte slices alias the buffer that they were read from,
// so that reading a request allocates nothing: whoever keeps a field past the
// next read copies it first. The package does no I/O and owns no goroutine.
package request
