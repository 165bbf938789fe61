// Package rewrite has the rules that turn a statement into another one with
// the same answer: rule.go says what a rule is, gate.go what holds for all of them, and
// splice.go makes the new text.
package rewrite
