package names

// Metrics of the configuration that runs and of those that came later.
const (
	ConfigReloadSuccessful = "vigie.config.last_reload.successful" // 1: what is configured runs; 0: an earlier one does
	ConfigReloadTime       = "vigie.config.last_reload.time"       // s since 1970: when what runs was started
	ConfigReloads          = "vigie.config.reloads"                // {reload}, monotonic, by outcome; the first start is none
	ConfigHash             = "vigie.config.hash"                   // 48 bits of what runs: nodes of one configuration have one value

	ConfigOutcome = "vigie.config.outcome" // attribute: applied, refused, reverted
)
