package checkcmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEachStateOfADirectoryHasItsLine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, c := range map[string]struct {
		dir       string
		create    bool
		level     Level
		text, fix string
	}{
		"there":             {dir, false, OK, "can be written to", ""},
		"will be made":      {filepath.Join(dir, "a/b"), true, OK, "will be made and can be written to", ""},
		"not there":         {filepath.Join(dir, "a/b"), false, Fail, "is not there", "create_directory: true"},
		"a file":            {file, false, Fail, "is a file", "another directory"},
		"below a file":      {filepath.Join(file, "a"), true, Fail, "", "read it"},
		"not to be written": {"/proc", false, Fail, "cannot be written to", "chown"},
	} {
		t.Run(name, func(t *testing.T) {
			r := directory(c.dir, c.create)
			if c.level == OK && r.Level == Warn {
				t.Skip("this disk is nearly full")
			}
			wants(t, r, c.level, c.text, c.fix)
		})
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing stays behind")
	wants(t, room("/d", "", 500<<20), Warn, "/d has 500 MiB free", "outage")
	wants(t, room("/d", "", 10<<20), Fail, "/d has 10 MiB free", "lose data")
	wants(t, room("/d", "", 5<<30), OK, "5.0 GiB free", "")
}

func TestDirectoriesOfQueuesAndOfTheStoreAreTriedOnceEach(t *testing.T) {
	dir := t.TempDir()
	got := run(t, `
extensions:
  file_storage: {directory: "`+dir+`"}
  file_storage/again: {directory: "`+dir+`"}
  file_storage/idle: {directory: /nowhere}
exporters:
  warroom: {store: {directory: "`+dir+`/store"}}
service:
  extensions: [file_storage, file_storage/again]
  pipelines: {logs: {receivers: [otlp], exporters: [warroom]}}
`)
	require.Len(t, got, 2)
	require.Equal(t, "extensions::file_storage", got[0].Part)
	require.Contains(t, got[1].Text, dir+"/store will be made")
}

func TestEachStateOfACalendarHasItsLines(t *testing.T) {
	now := time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "calendar.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	path := write("events:\n  - {name: Semi-final, kick_off: 2026-07-14T21:00:00+02:00}\n")
	got := calendarFile(path, now)
	require.Len(t, got, 1)
	wants(t, got[0], OK, "next is Semi-final at 2026-07-14T21:00:00+02:00, in 7h0m0s", "")
	wants(t, calendarFile(path, now.Add(8*time.Hour))[0], OK, "Semi-final is on (", "")
	wants(t, calendarFile(path, now.Add(48*time.Hour))[0], Warn, "no event to come", "enter the next event")

	got = calendarFile(write("events:\n  - {name: A, kick_off: tomorrow}\n  - {name: B, kick_off: 2026-07-15T21:00:00Z, factor: many}\n"), now)
	require.Len(t, got, 4)
	wants(t, got[0], Warn, `event "A"`, "mend it")
	require.Contains(t, got[0].Text, "line 2")
	wants(t, got[2], Warn, `event "B"`, "mend it")
	wants(t, got[3], OK, "next is B", "")

	got = calendarFile(write("events:\n"+strings.Repeat("  - {kick_off: never}\n", 30)), now)
	require.Len(t, got, namedProblems+2, "a wrong file does not fill the screen")
	wants(t, got[namedProblems], Warn, "50 problems more", "")

	wants(t, calendarFile("/nowhere/calendar.yaml", now)[0], Fail, "no such file", "expects no crowd")
	wants(t, calendarFile(write("- a list"), now)[0], Fail, "want a mapping", "mend the file")
	wants(t, calendarFile(write("events: ["), now)[0], Fail, "read calendar", "mend the file")
}

func TestACalendarThatSeveralPartsNameIsReadOnce(t *testing.T) {
	got := run(t, `
processors: {attack_detection: {calendar: /nowhere/c.yaml}}
exporters: {warroom: {store: {directory: "`+t.TempDir()+`"}, room: {calendar: /nowhere/c.yaml}}}
service:
  pipelines: {logs: {receivers: [otlp], processors: [attack_detection], exporters: [warroom]}}
`)
	wants(t, line(t, got, "calendar"), Fail, "/nowhere/c.yaml: no such file", "")
}
