// Command bench is `make bench`: it prints one table that compares PostgreSQL
// asked directly, through PgBouncer (the Debian package) and through PgJay.
//
// Everything runs in one go on one machine, the three interleaved, and each
// number is the median of the rounds: on a busy machine the comparison holds
// where absolute numbers do not. The servers it starts end with it.
package main
