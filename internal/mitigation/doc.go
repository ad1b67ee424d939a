// Package mitigation writes the rules that findings propose in the languages of
// those who can apply them: AWS WAFv2, nginx, or a plain list of prefixes.
//
// Findings enter; a document leaves, with each rule's estimated coverage of the
// attack and its estimated hit on legitimate requests beside it. Nothing is
// applied. A condition that a language cannot express makes its whole rule
// inexpressible, which is said, since a rule with a condition less would match
// more than was estimated. Values that come from the attacker are quoted for
// the language they are written in.
//
// The package does no I/O but to the writer it is given, keeps no state and
// owns no goroutine.
package mitigation
