// Package load asks what the simulated application asks: a mix of statements as
// its code writes them, over connections as its code holds them. Query i is the
// same each time, so that two paths can be asked the same.
package load
