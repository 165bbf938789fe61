// Package rewrite has the rules that turn a statement into another one with
// the same answer. It is empty until its issue.
package rewrite
