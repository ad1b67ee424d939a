package replay

import "github.com/vigie-otel/vigie/internal/request"

// Class says who made a request: a kind of people, or a class of attack.
type Class uint8

// The classes. Those from ClassHTTPFlood on are attacks, named as findings are.
const (
	ClassViewer Class = iota
	ClassKickOff
	ClassGoal
	ClassAds
	ClassPush
	ClassNAT
	ClassRetry
	ClassPurge
	ClassBuggyApp
	ClassCrawler
	ClassMonitor
	ClassViral

	ClassHTTPFlood
	ClassDistributedFlood
	ClassCredentialStuffing
	ClassCacheBusting
	ClassPathScanning
	ClassSlowloris
	classes
)

var classNames = [classes]string{
	"viewer", "kickoff", "goal", "half_time_ads", "push", "carrier_nat", "retry_storm", "cdn_purge", "buggy_release", "crawler", "monitor", "viral",
	"http_flood", "distributed_flood", "credential_stuffing", "cache_busting", "path_scanning", "slowloris",
}

func (c Class) String() string { return classNames[c] }

// Attack reports whether the class is an attack.
func (c Class) Attack() bool { return c >= ClassHTTPFlood }

func classOf(name string, from, to Class) (Class, bool) {
	for c := from; c < to; c++ {
		if classNames[c] == name {
			return c, true
		}
	}
	return 0, false
}

// Event is one request with the truth about it. Its slices are valid until the
// next call of Generator.Next.
type Event struct {
	request.Request
	Proto  string // "HTTP/1.1", "HTTP/2.0"
	Class  Class
	Attack int // index into Truth.Attacks; -1 for people

	query   [160]byte
	referer [200]byte
	path    [160]byte
	account [32]byte
}
