//go:build !linux

package ports

import "errors"

func hold() (string, func(), error) { return "", nil, errors.ErrUnsupported }
