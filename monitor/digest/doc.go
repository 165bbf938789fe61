// Package digest counts what each statement shape costs, and keeps the slow ones.
//
// A shape is a text without comments and literals, run in one database as one user.
// The loops write Records into rings of their own, one for each loop; a Table's
// collector takes them out and adds them up. So a Recorder never blocks and allocates
// nothing for a shape that it knows; when its ring is full, which means that the
// collector is late, a Record is dropped and counted.
//
// Who owns what: a Recorder's known shapes and the writing end of its ring belong to
// its loop, the reading end and all numbers to whoever holds the Table's mu, the
// registry of shapes to whoever holds its own. No literal gets in here: only shapes
// and the trace tags that the configuration lets through.
package digest
