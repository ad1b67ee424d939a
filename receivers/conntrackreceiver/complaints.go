package conntrackreceiver

import (
	"errors"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/conntrack"
)

// complaints log an error once, when it comes, and once when it goes: the same
// reading fails every few seconds for as long as nobody grants a capability or
// loads a module.
type complaints struct {
	logger *zap.Logger
	last   map[string]string
}

func newComplaints(l *zap.Logger) *complaints {
	return &complaints{logger: l, last: make(map[string]string)}
}

// about tells how reading what went. goesOn says what is still there without it.
func (c *complaints) about(what, goesOn string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == c.last[what] {
		return
	}
	c.last[what] = text
	switch {
	case err == nil:
		c.logger.Info("conntrack: " + what + " can be read again")
	case errors.Is(err, conntrack.ErrPermission), errors.Is(err, conntrack.ErrNoModule),
		errors.Is(err, conntrack.ErrNamespaceGone), errors.Is(err, conntrack.ErrUnsupported):
		c.logger.Warn("conntrack: no "+what+"; "+goesOn, zap.Error(err))
	default:
		c.logger.Error("conntrack: no "+what+"; "+goesOn, zap.Error(err))
	}
}
