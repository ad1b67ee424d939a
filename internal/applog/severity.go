package applog

import (
	"strconv"
	"strings"
)

// OpenTelemetry's severity numbers (logs data model, "Field: SeverityNumber").
const (
	Trace  int32 = 1
	Debug  int32 = 5
	Info   int32 = 9
	Notice int32 = 10 // INFO2, as the data model maps syslog's
	Warn   int32 = 13
	Error  int32 = 17
	Fatal  int32 = 21
	Alert  int32 = 22
	Emerg  int32 = 24
)

// word finds the severity that a word in lower case means; 0: none.
func word(w string) int32 {
	switch w {
	case "trace", "trc", "trce", "verbose", "finest", "finer", "silly", "vrb":
		return Trace
	case "debug", "dbg", "dbug", "fine", "config":
		return Debug
	case "info", "inf", "information", "informational", "default":
		return Info
	case "notice":
		return Notice
	case "warn", "warning", "wrn":
		return Warn
	case "error", "err", "eror", "severe", "fail", "failure":
		return Error
	case "fatal", "ftl", "critical", "crit", "crt", "panic", "dpanic", "pnc":
		return Fatal
	case "alert":
		return Alert
	case "emerg", "emergency":
		return Emerg
	}
	return 0
}

// longest word above, in bytes.
const maxWord = 13

// wordAnyCase is word of a text in any case.
func wordAnyCase(s string) int32 {
	if len(s) < 3 || len(s) > maxWord {
		return 0
	}
	var low [maxWord]byte
	for i := range len(s) {
		c := s[i]
		if c-'A' <= 25 {
			c |= 0x20
		}
		low[i] = c
	}
	return word(string(low[:len(s)]))
}

// letter is the severity of klog's and Android's single letters; V and D are
// rarely seen alone, so "T", "D", "I", "W", "E", "F" it is.
func letter(c byte) int32 {
	switch c {
	case 'T', 't':
		return Trace
	case 'D', 'd':
		return Debug
	case 'I', 'i':
		return Info
	case 'W', 'w':
		return Warn
	case 'E', 'e':
		return Error
	case 'F', 'f', 'C', 'c':
		return Fatal
	}
	return 0
}

// severityOf reads a level: a word, or a number of pino, bunyan and Python.
func severityOf(f *Field) (number int32, text string) {
	switch f.Type {
	case Str:
		s := strings.TrimSpace(f.Str)
		if len(s) == 1 && s[0]-'0' > 9 {
			return letter(s[0]), f.Str
		}
		if n := wordAnyCase(s); n != 0 {
			return n, f.Str
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) <= 3 {
			return numbered(f.key, n), f.Str
		}
	case Int:
		if n := numbered(f.key, f.Int); n != 0 {
			return n, strconv.FormatInt(f.Int, 10)
		}
	}
	return 0, ""
}

// numbered maps a level's number. pino and bunyan count 10 (trace) to 60 (fatal),
// and Python 10 (debug) to 50, one step apart; the former write far more JSON.
// Numbers below ten mean one thing to syslog and the opposite to others, so only
// OpenTelemetry's own key is believed there.
func numbered(k *key, n int64) int32 {
	if strings.HasSuffix(k.name, "umber") {
		if n >= 1 && n <= 24 {
			return int32(n)
		}
		return 0
	}
	switch {
	case n < 10 || n > 69:
		return 0
	case n < 20:
		return Trace
	case n < 30:
		return Debug
	case n < 40:
		return Info
	case n < 50:
		return Warn
	case n < 60:
		return Error
	}
	return Fatal
}
