// Package sqlparse reads SQL text: what may it do to the state of the session
// that it runs in, and what does it name?
//
// The first is Classify's answer, and it alone decides what pins. The second are
// the Facts that pg_query, PostgreSQL's own parser in C, finds. A Memo remembers
// both as a Statement.
//
// # Classes
//
// Classify answers for each text that passes through the proxy, before it is
// sent: in linear time, with no allocation, and with an answer for every text.
// scan.go and literal.go cut the text into tokens as PostgreSQL's scan.l does;
// classify.go goes over them once; verb.go knows the commands, word.go the
// keywords that mean something anywhere, call.go what is a function call,
// functions.go what the functions do, setting.go SET, RESET and set_config.
//
// # Facts
//
// Facts cost 20 us to several ms, so they are computed when somebody asks, once
// for each text or shape: parse.go, node.go and utility.go read the tree,
// walk.go collects the names in it, outline.go finds the places of names that
// the tree does not tell. memo.go remembers, table.go is its bounded table, and
// shape.go tells which texts share facts. Nothing is shared that depends on the
// value of a literal.
//
// The parser has no guard against deep recursion, so gate.go measures each text
// before. What does not pass, what pg_query cannot parse and what Classify could
// not read for sure is opaque: that is no error, and the statement is passed on.
// Our scanner is held equal to PostgreSQL's by scan_pg_test.go, which lists where
// they may differ.
//
// # What is pinned
//
// A statement that may leave session state behind pins, and so does all that is
// not known: a command that is not in our list, a function that is not one of
// PostgreSQL's own, a text that can be read in two ways. Statements that take
// state away again (RESET, DISCARD, UNLISTEN, DEALLOCATE) pin too: they are
// about this session's backend. What ends with the transaction does not pin: SET
// LOCAL, SET TRANSACTION, SET CONSTRAINTS, cursors without HOLD, locks,
// set_config with the word true as third argument.
//
// # What cannot be seen in a text
//
// A statement can run functions that it does not name: by triggers, views, rules,
// row security, defaults, domains, casts, operators, or as column notation
// (row.function). A function of the user's with the name of one of PostgreSQL's
// is taken for that one when it is found first (pg_catalog is not first in
// search_path) or fits the arguments better. search_path can be set to pg_temp by
// a parameter of set_config or when the session starts; then CREATE TABLE
// creates a temporary table. An INSERT into a column with a sequence changes what
// currval says. Texts in client encodings that hide ASCII bytes in other
// characters cannot be read: see Readable.
//
// In a few places an unreserved keyword before a parenthesis is always taken
// for its clause: OPERATOR and ILIKE anywhere, CONFLICT behind ON, and those in
// isClause. A function with such a name would be overlooked there.
package sqlparse
