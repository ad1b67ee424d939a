// Package k6_test runs the load scripts' logic under Node.js, with a stand-in for
// k6 that records requests instead of sending them. Whether k6 itself takes the
// scripts is seen where k6 is installed.
package k6_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/replay"
)

var update = flag.Bool("update", false, "write numbers.json anew")

// journeys are the parts of a match that the scripts load.
func journeys(t *testing.T) map[string]*replay.Numbers {
	t.Helper()
	out := map[string]*replay.Numbers{}
	for name, of := range map[string]struct {
		scenario string
		people   replay.Class
	}{
		"sign_in": {"kickoff", replay.ClassKickOff}, "advertising": {"half-time", replay.ClassAds}, "video": {"match-day", replay.ClassViewer},
	} {
		n, err := replay.NumbersOf(of.scenario, of.people)
		require.NoError(t, err)
		out[name] = n
	}
	return out
}

func TestTheNumbersAreThoseOfVigieReplay(t *testing.T) {
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(journeys(t)))
	if *update {
		require.NoError(t, os.WriteFile("numbers.json", want.Bytes(), 0o644))
	}
	got, err := os.ReadFile("numbers.json")
	require.NoError(t, err)
	if d := cmp.Diff(want.String(), string(got)); d != "" {
		t.Errorf("numbers.json is stale: go test ./deploy/k6 -update\n%s", d)
	}
}

// ran is what testing/run.mjs prints.
type ran struct {
	Error   string
	Exports []string
	Options struct {
		Scenarios map[string]struct {
			Exec, Executor, TimeUnit string
			MaxVUs                   int
			Stages                   []struct {
				Target   int
				Duration string
			}
		}
		Thresholds map[string][]struct {
			Threshold   string
			AbortOnFail bool
		}
		MaxRedirects int
	}
	Requests []struct {
		Method, URL string
		Body        string
		Params      struct {
			Tags      map[string]string
			Redirects int
		}
	}
	Checks, Passed int
	Slept          float64
}

// allowed is the least that a run needs.
func allowed(more ...string) map[string]string {
	env := map[string]string{"TARGET": "https://staging.example.com", "I_MAY_LOAD": "staging.example.com", "MAX_RATE": "200", "MAX_VISITORS": "5000"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

// node runs a script's function so many times.
func node(t *testing.T, env map[string]string, script, function, times string) ran {
	t.Helper()
	tool, err := exec.LookPath("node")
	if err != nil {
		t.Skip("NOT CHECKED: the scripts run under Node.js here, and there is none")
	}
	settings, err := json.Marshal(env)
	require.NoError(t, err)
	shim, err := filepath.Abs("testing/shim.mjs")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), tool, "--no-warnings", "--import", shim, "testing/run.mjs", script, function, times)
	cmd.Env = append(os.Environ(), "K6_ENV="+string(settings))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var r ran
	require.NoError(t, json.Unmarshal(out, &r), string(out))
	return r
}

var scripts = map[string]struct {
	file, function, journey string
	steps                   []string // of the journey, those that the script makes
}{
	"sign-in":     {"sign-in.js", "signIn", "sign_in", []string{"catalog", "config", "sign_in"}},
	"advertising": {"advertising.js", "advertising", "advertising", []string{"ad_beacon", "ad_pod"}},
	"video":       {"video.js", "video", "video", []string{"heartbeat", "manifest", "play"}},
}

func TestVisitorsArriveAndActAsInTheReplay(t *testing.T) {
	for name, s := range scripts {
		t.Run(name, func(t *testing.T) {
			numbers := journeys(t)[s.journey]
			const visits, scale = 400, 0.001
			r := node(t, allowed(), s.file, s.function, "400")
			require.Empty(t, r.Error)

			scenario := r.Options.Scenarios[s.function]
			require.Equal(t, s.function, scenario.Exec)
			require.Equal(t, "ramping-arrival-rate", scenario.Executor)
			require.Len(t, scenario.Stages, len(numbers.VisitsPerSecond))
			for i, stage := range scenario.Stages {
				require.InDelta(t, numbers.VisitsPerSecond[i]*scale*60, stage.Target, 0.51, "visits a minute")
			}
			want := 0.0
			made := map[string]int{}
			for _, q := range r.Requests {
				made[q.Params.Tags["step"]]++
				require.True(t, strings.HasPrefix(q.URL, "https://staging.example.com/"), q.URL)
				require.Zero(t, q.Params.Redirects, "a redirect could lead off the target")
			}
			for _, step := range numbers.Steps {
				if _, has := made[step.Name]; !has {
					continue
				}
				mean := step.Share * float64(step.Least+step.Most) / 2
				want += mean
			}
			require.Equal(t, s.steps, slices.Sorted(maps.Keys(made)))
			require.InEpsilon(t, want*visits, len(r.Requests), 0.15, "%v", made)
			require.Equal(t, r.Checks, r.Passed)
			require.Equal(t, len(r.Requests), r.Checks)
			for step := range made {
				require.Len(t, r.Options.Thresholds["http_req_duration{step:"+step+"}"], 2, "no threshold for %s", step)
			}
		})
	}
}

func TestARunAgainstASystemThatFailsStopsItself(t *testing.T) {
	r := node(t, allowed(), "sign-in.js", "signIn", "1")
	aborts := false
	for _, threshold := range r.Options.Thresholds["http_req_failed"] {
		aborts = aborts || threshold.AbortOnFail
	}
	require.True(t, aborts)
	require.NotEmpty(t, r.Options.Thresholds["dropped_iterations"])
}

func TestTheWholeMatchHasAllThree(t *testing.T) {
	r := node(t, allowed(), "match.js", "video", "1")
	require.Empty(t, r.Error)
	for _, s := range scripts {
		require.Contains(t, r.Options.Scenarios, s.function)
		require.Contains(t, r.Exports, s.function, "k6 calls the function by its scenario's exec")
	}
}

func TestNothingBeginsWithoutATargetAndAWord(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		says []string
	}{
		"nothing":             {map[string]string{}, []string{"TARGET is required"}},
		"no word":             {allowed("I_MAY_LOAD", ""), []string{"I_MAY_LOAD must repeat", "staging.example.com"}},
		"another host's word": {allowed("I_MAY_LOAD", "www.example.com"), []string{"I_MAY_LOAD must repeat"}},
		"a path":              {allowed("TARGET", "https://staging.example.com/app"), []string{"without a path"}},
		"a user":              {allowed("TARGET", "https://u:p@staging.example.com"), []string{"without a path or user"}},
		"production":          {allowed("NEVER", "example.com"), []string{"one of NEVER"}},
		"too much":            {allowed("SCALE", "2"), []string{"SCALE must be a number"}},
		"several":             {map[string]string{"TARGET": "staging", "SCALE": "x"}, []string{"TARGET must be scheme and host", "SCALE must be a number"}},
		"above the rate":      {allowed("SCALE", "1", "MAX_RATE", "100", "MAX_VISITORS", "100000"), []string{"requests a second at its peak", "lower SCALE to"}},
		"too many visitors":   {allowed("SCALE", "0.005", "MAX_VISITORS", "3"), []string{"visitors at one time"}},
		"no endpoint":         {allowed("ENDPOINTS", write(t, `{"accounts":["a"],"config":{"path":"/c"}}`)), []string{"no path for sign_in, catalog"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := node(t, c.env, "sign-in.js", "signIn", "1")
			for _, s := range c.says {
				require.Contains(t, r.Error, s)
			}
			require.Empty(t, r.Requests)
		})
	}
}

// Following the error's advice must be enough.
func TestTheScaleThatAnErrorNamesIsTaken(t *testing.T) {
	for _, rate := range []string{"10", "15.7", "19", "28.8", "120", "777"} { // of which some would be rounded up
		r := node(t, allowed("SCALE", "1", "MAX_RATE", rate, "MAX_VISITORS", "100000"), "sign-in.js", "signIn", "0")
		_, after, ok := strings.Cut(r.Error, "lower SCALE to ")
		require.True(t, ok, r.Error)
		scale, _, _ := strings.Cut(after, ",")
		r = node(t, allowed("SCALE", scale, "MAX_RATE", rate, "MAX_VISITORS", "100000"), "sign-in.js", "signIn", "0")
		require.Empty(t, r.Error)
	}
}

func TestAShorterRunKeepsItsRate(t *testing.T) {
	long, short := node(t, allowed(), "sign-in.js", "signIn", "0"), node(t, allowed("MINUTES", "3"), "sign-in.js", "signIn", "0")
	peak := func(r ran) (most float64) {
		for _, s := range r.Options.Scenarios["signIn"].Stages {
			most = math.Max(most, float64(s.Target))
		}
		return most
	}
	require.Equal(t, peak(long), peak(short))
	require.Equal(t, "45s", long.Options.Scenarios["signIn"].Stages[0].Duration)
	require.Equal(t, "9s", short.Options.Scenarios["signIn"].Stages[0].Duration)
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "endpoints.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// typesFind runs TypeScript over the scripts with k6's published types, and
// returns what it says; "" where it has nothing to say.
func typesFind(t *testing.T, folder string) string {
	t.Helper()
	tools := os.Getenv("VIGIE_DEPLOY_TOOLS")
	if tools == "" {
		t.Skip("NOT CHECKED: k6's types come from npm; make deploy-check gets them and runs this")
	}
	folder, err := filepath.Abs(folder)
	require.NoError(t, err)
	var files []string
	for _, s := range []string{"match.js", "sign-in.js", "advertising.js", "video.js"} {
		files = append(files, filepath.Join(folder, s))
	}
	types := filepath.Join(tools, "node_modules/@types")
	config, err := json.Marshal(map[string]any{"files": files, "compilerOptions": map[string]any{
		"allowJs": true, "checkJs": true, "noEmit": true, "module": "esnext", "moduleResolution": "bundler", "target": "es2022",
		"lib": []string{"es2022"}, "typeRoots": []string{types}, "types": []string{"k6"}, "skipLibCheck": true,
		"paths": map[string]any{"k6": []string{types + "/k6/index.d.ts"}, "k6/*": []string{types + "/k6/*"}},
	}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "tsconfig.json")
	require.NoError(t, os.WriteFile(path, config, 0o600))
	out, err := exec.CommandContext(t.Context(), "node", filepath.Join(tools, "node_modules/typescript/bin/tsc"), "-p", path).CombinedOutput()
	if err == nil {
		require.Empty(t, string(out))
	} else {
		require.NotEmpty(t, string(out), "%v", err)
	}
	return string(out)
}

func TestK6sOwnTypesTakeTheScripts(t *testing.T) {
	require.Empty(t, typesFind(t, "."))
}

func TestK6sOwnTypesFindMistakes(t *testing.T) {
	for name, c := range map[string]struct{ file, from, to, says string }{
		"an executor":    {"lib/plan.js", "'ramping-arrival-rate'", "'ramping-arrivals'", "executor"},
		"an option":      {"rehearsal.js", "maxRedirects: 0", "maxRedirect: 0", "maxRedirect"},
		"a module":       {"lib/visit.js", "from 'k6/http'", "from 'k6/https'", "k6/https"},
		"a name":         {"lib/visit.js", "{ check, sleep }", "{ check, slept as sleep }", "slept"},
		"a missing rate": {"lib/plan.js", "    preAllocatedVUs: Math.ceil(visitors / 2),\n", "", "preAllocatedVUs"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(".")))
			path := filepath.Join(dir, c.file)
			good, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(good), c.from)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(good), c.from, c.to, 1)), 0o600))
			require.Contains(t, typesFind(t, dir), c.says)
		})
	}
}
