//go:build !linux

package checkcmd

func freeBytes(string) (uint64, bool) { return 0, false }

func (*plan) kernel() []probe { return nil }
