// Package archtest holds the architecture as tests: which package may import
// which, that every package says what it is, and that nothing generated or
// forbidden creeps in. It has no code of its own.
package archtest
