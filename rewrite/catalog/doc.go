// Package catalog has facts about a database: keys, nullability, foreign keys,
// volatility, triggers, views, partitions; and what follows from them for
// answers that are remembered and for statements that are rewritten.
//
// [Load] reads a [Snapshot], which never changes; a [Keeper] has the current
// one. A snapshot answers:
//
//   - what a name means ([Snapshot.Resolve]);
//   - what a write may change ([Snapshot.Written]);
//   - what an answer depends on, and whether it may be remembered
//     ([Snapshot.Readable], [Snapshot.Function], [Snapshot.Operator],
//     [Snapshot.Type], [Snapshot.Attribute]);
//   - whether a call may write ([Snapshot.MayWrite], [Snapshot.ReadingWrites]).
//
// What a statement reads is not concluded but asked: [Learn] has PostgreSQL
// plan it and looks at the locks. Whatever is not known is refused, or opaque,
// with the sentence that says why.
//
// # Where the rules come from
//
// Stored expressions (defaults, checks, indexes, policies, rules, views) are
// read as pg_node_tree and scanned for the OIDs of what they call: pg_depend
// does not have what is built in (outfuncs.c has the format, tree.go the fields).
//
// pg_proc.provolatile is not enough in either direction. IMMUTABLE float8out
// prints as extra_float_digits says, STABLE to_jsonb depends on settings only;
// so lists.go says of each stable function which kind it is, and a test fails
// when a server has one that is in no list. An extension's function counts as
// what it claims if it is immutable and C. A function of a user is refused,
// whatever it claims: what it calls may be replaced, and what it reads is seen
// in the locks only where it is inlined or folded.
//
// PostgreSQL lets a function that is not volatile run no INSERT, UPDATE or
// DELETE (spi.c, "is not allowed in a non-volatile function"), but lets it call
// one that is. Those whose text has the name of a function that may write, or
// EXECUTE, are taken for writers. What they call through operators, casts or
// text in tables is not seen.
//
// Names are resolved as namespace.c does it, with one difference: all functions
// of a name in all schemas of the path count, where PostgreSQL takes the best
// match of the argument types.
//
// Foreign-key actions are followed as ri_triggers.c runs them: as statements of
// their own, with rules and triggers. An action of UPDATE is followed only from
// the columns that are set; this is what makes ON UPDATE CASCADE, which Prisma
// puts on every key, cost nothing.
//
// A row of a partition or a child is a row of its ancestors. A command on a
// parent may change all descendants, except that INSERT into a plain parent
// stays there (tablecmds.c, execPartition.c). Row triggers of a partitioned
// table are copied to partitions, as internal ones before PostgreSQL 13: so
// those of ancestors count.
//
// Temporary relations are in no snapshot: which session has which is the
// caller's business, as is what a transaction has created and not committed.
package catalog
