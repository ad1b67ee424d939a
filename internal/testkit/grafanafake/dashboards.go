package grafanafake

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The permissions that dashboards and folders need.
const (
	DashboardsRead   = "dashboards:read"
	DashboardsCreate = "dashboards:create"
	DashboardsWrite  = "dashboards:write"
	FoldersRead      = "folders:read"
	FoldersCreate    = "folders:create"
	DatasourcesRead  = "datasources:read"
)

// Saved is a dashboard as Grafana keeps it.
type Saved struct {
	Folder      string // uid; empty is the root
	Version     int
	Provisioned bool
	Body        map[string]any
}

// Library is a Grafana's dashboards, folders and data sources. It checks the
// token, the permission of each action, uids (40 characters, letters, digits, -
// and _), titles, that the folder is there, versions and titles that clash, and
// that what comes from files is not saved. What it saves gets an id, a version
// and defaults that were not sent, as Grafana's does.
type Library struct {
	URL string
	web *httptest.Server

	mu      sync.Mutex
	token   string            // guarded by mu
	may     map[string]bool   // guarded by mu
	folders map[string]string // guarded by mu: uid to title
	boards  map[string]*Saved // guarded by mu: by uid
	sources map[string]string // guarded by mu: uid to type
	writes  []string          // guarded by mu: method and path of what changed something
	busy    []int             // guarded by mu: statuses for the next requests
}

// NewLibrary serves on loopback until Close, with all permissions and nothing in
// it.
func NewLibrary(token string) *Library {
	l := &Library{
		token: token, folders: map[string]string{}, boards: map[string]*Saved{}, sources: map[string]string{},
		may: map[string]bool{
			DashboardsRead: true, DashboardsCreate: true, DashboardsWrite: true,
			FoldersRead: true, FoldersCreate: true, DatasourcesRead: true,
		},
	}
	l.web = httptest.NewServer(l)
	l.URL = l.web.URL
	return l
}

// Close ends the server.
func (l *Library) Close() { l.web.Close() }

// Forbid takes a permission away.
func (l *Library) Forbid(permission string) { l.locked(func() { delete(l.may, permission) }) }

// Busy answers the next requests with these statuses and does nothing.
func (l *Library) Busy(status ...int) { l.locked(func() { l.busy = append(l.busy, status...) }) }

// AddFolder, AddDashboard and AddDatasource put there what somebody else made.
func (l *Library) AddFolder(uid, title string)      { l.locked(func() { l.folders[uid] = title }) }
func (l *Library) AddDatasource(uid, kind string)   { l.locked(func() { l.sources[uid] = kind }) }
func (l *Library) AddDashboard(uid string, s Saved) { l.locked(func() { l.boards[uid] = &s }) }

// Dashboards are those that are there, by uid.
func (l *Library) Dashboards() map[string]Saved {
	out := map[string]Saved{}
	l.locked(func() {
		for uid, s := range l.boards {
			out[uid] = *s
		}
	})
	return out
}

// Folders are the folders' titles by uid.
func (l *Library) Folders() (out map[string]string) {
	l.locked(func() { out = maps.Clone(l.folders) })
	return out
}

// Writes are the requests that changed something, since they were last asked for.
func (l *Library) Writes() (out []string) {
	l.locked(func() { out, l.writes = l.writes, nil })
	return out
}

func (l *Library) locked(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

func (l *Library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.busy) > 0 {
		status := l.busy[0]
		l.busy = l.busy[1:]
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+l.token {
		refuse(w, http.StatusUnauthorized, "Invalid API key")
		return
	}
	if r.Method == http.MethodPost && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		refuse(w, http.StatusBadRequest, "bad request data")
		return
	}
	folder, oneFolder := strings.CutPrefix(r.URL.Path, "/api/folders/")
	board, oneBoard := strings.CutPrefix(r.URL.Path, "/api/dashboards/uid/")
	source, oneSource := strings.CutPrefix(r.URL.Path, "/api/datasources/uid/")
	switch get := r.Method == http.MethodGet; {
	case get && r.URL.Path == "/api/folders" && l.allowedLocked(w, FoldersRead):
		l.listFoldersLocked(w)
	case get && oneFolder && l.allowedLocked(w, FoldersRead):
		l.foundLocked(w, l.folders[folder] != "", "folder not found", map[string]any{"uid": folder, "title": l.folders[folder]})
	case get && oneBoard && l.allowedLocked(w, DashboardsRead):
		l.getBoardLocked(w, board)
	case get && oneSource && l.allowedLocked(w, DatasourcesRead):
		l.foundLocked(w, l.sources[source] != "", "Data source not found", map[string]any{"uid": source, "name": "Name of " + source, "type": l.sources[source]})
	case r.Method == http.MethodPost && r.URL.Path == "/api/folders" && l.allowedLocked(w, FoldersCreate):
		l.makeFolderLocked(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/api/dashboards/db":
		l.saveLocked(w, r)
	default:
		if w.Header().Get("Content-Type") == "" { // nobody has answered yet
			refuse(w, http.StatusNotFound, "Not found")
		}
	}
}

// allowedLocked answers where the permission is missing.
func (l *Library) allowedLocked(w http.ResponseWriter, permission string) bool {
	if !l.may[permission] {
		refuse(w, http.StatusForbidden, "You'll need additional permissions to perform this action. Permissions needed: "+permission)
	}
	return l.may[permission]
}

func (l *Library) foundLocked(w http.ResponseWriter, there bool, not string, answer any) {
	if !there {
		refuse(w, http.StatusNotFound, not)
		return
	}
	reply(w, http.StatusOK, answer)
}

func (l *Library) listFoldersLocked(w http.ResponseWriter) {
	out := []map[string]string{}
	for _, uid := range slices.Sorted(maps.Keys(l.folders)) {
		out = append(out, map[string]string{"uid": uid, "title": l.folders[uid]})
	}
	reply(w, http.StatusOK, out)
}

var uidPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)

func (l *Library) makeFolderLocked(w http.ResponseWriter, r *http.Request) {
	var b struct{ UID, Title string }
	if json.NewDecoder(r.Body).Decode(&b) != nil || b.Title == "" {
		refuse(w, http.StatusBadRequest, "folder title cannot be empty")
		return
	}
	if !uidPattern.MatchString(b.UID) {
		refuse(w, http.StatusBadRequest, "uid contains illegal characters")
		return
	}
	for uid, title := range l.folders {
		if uid == b.UID || title == b.Title {
			refuse(w, http.StatusConflict, "a folder with the same name already exists in the current location")
			return
		}
	}
	l.folders[b.UID] = b.Title
	l.writes = append(l.writes, "POST /api/folders "+b.UID)
	reply(w, http.StatusOK, map[string]any{"uid": b.UID, "title": b.Title})
}

func (l *Library) getBoardLocked(w http.ResponseWriter, uid string) {
	s := l.boards[uid]
	if s == nil {
		refuse(w, http.StatusNotFound, "Dashboard not found")
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"dashboard": s.Body,
		"meta":      map[string]any{"folderUid": s.Folder, "version": s.Version, "provisioned": s.Provisioned},
	})
}

func (l *Library) saveLocked(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Dashboard map[string]any
		FolderUID string
		Overwrite bool
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil || json.Unmarshal(raw, &b) != nil || b.Dashboard == nil {
		refuse(w, http.StatusBadRequest, "bad request data")
		return
	}
	uid, _ := b.Dashboard["uid"].(string)
	title, _ := b.Dashboard["title"].(string)
	before := l.boards[uid]
	need := DashboardsWrite
	if before == nil {
		need = DashboardsCreate
	}
	if !l.allowedLocked(w, need) {
		return
	}
	status, message, reason := l.judgeLocked(b.Dashboard, uid, title, b.FolderUID, b.Overwrite)
	if status != 0 {
		reply(w, status, map[string]any{"message": message, "status": reason})
		return
	}
	saved := &Saved{Folder: b.FolderUID, Version: 1, Body: b.Dashboard}
	if before != nil {
		saved.Version = before.Version + 1
	}
	saved.Body["id"], saved.Body["version"] = float64(len(l.boards)+1), float64(saved.Version)
	panels, _ := saved.Body["panels"].([]any)
	for _, p := range panels {
		if p, ok := p.(map[string]any); ok && p["pluginVersion"] == nil {
			p["pluginVersion"] = "12.1.0"
		}
	}
	l.boards[uid] = saved
	l.writes = append(l.writes, "POST /api/dashboards/db "+uid)
	reply(w, http.StatusOK, map[string]any{"uid": uid, "status": "success", "version": saved.Version, "url": "/d/" + uid})
}

// judgeLocked is what keeps a dashboard from being saved; 0 is nothing.
func (l *Library) judgeLocked(body map[string]any, uid, title, folder string, overwrite bool) (status int, message, reason string) {
	before := l.boards[uid]
	version, _ := body["version"].(float64)
	switch {
	case strings.TrimSpace(title) == "":
		return http.StatusBadRequest, "Dashboard title cannot be empty", "empty-name"
	case !uidPattern.MatchString(uid):
		return http.StatusBadRequest, "uid contains illegal characters", ""
	case folder != "" && l.folders[folder] == "":
		return http.StatusBadRequest, "folder not found", ""
	case body["id"] != nil:
		return http.StatusNotFound, "Dashboard not found", "not-found"
	case before != nil && before.Provisioned:
		return http.StatusBadRequest, "Cannot save provisioned dashboard", ""
	case before != nil && !overwrite && int(version) != before.Version:
		return http.StatusPreconditionFailed, "The dashboard has been changed by someone else", "version-mismatch"
	}
	for other, s := range l.boards {
		if other != uid && s.Folder == folder && s.Body["title"] == title && !overwrite {
			return http.StatusPreconditionFailed, "A dashboard with the same name in the folder already exists", "name-exists"
		}
	}
	return 0, "", ""
}
