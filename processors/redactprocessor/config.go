package redactprocessor

import (
	"errors"
	"slices"

	"github.com/vigie-otel/vigie/internal/redact"
)

// Config of the processor.
type Config struct {
	// Kinds is what to take out: tokens, cards, emails, urls. Default all; an
	// empty list is refused, since it would hide nothing.
	Kinds []string `mapstructure:"kinds"`
	// IgnoreAttributes are names of attributes that are passed unread. Default
	// none.
	IgnoreAttributes []string `mapstructure:"ignore_attributes"`

	_ struct{} // keyed literals only
}

func defaultConfig() *Config {
	return &Config{Kinds: []string{"tokens", "cards", "emails", "urls"}}
}

// Validate says everything that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if len(c.Kinds) == 0 {
		errs = append(errs, errors.New("kinds is empty and would hide nothing; it takes tokens, cards, emails and urls"))
	}
	if _, err := redact.Parse(c.Kinds); err != nil {
		errs = append(errs, err)
	}
	if slices.Contains(c.IgnoreAttributes, "") {
		errs = append(errs, errors.New("ignore_attributes has an empty name"))
	}
	return errors.Join(errs...)
}
