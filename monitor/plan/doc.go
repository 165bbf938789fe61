// Package plan understands what EXPLAIN (FORMAT JSON) says: the tree, the time of each
// node without its children, an identity that survives other costs and rows, and the
// findings, which say what is slow in it and why. It has no I/O.
//
// Literals: Parse takes in only what it knows, and puts ? in the place of every literal
// in conditions and expressions. A text that cannot be read for sure becomes
// "(not shown)". So a Plan may be shown, logged and stored.
//
// Time: PostgreSQL's times and rows are averages of one loop. In parallel parts of a
// plan a loop is a process, so that loops add up to more than the clock shows; Exclusive
// divides by the processes there, and is never below 0.
package plan
