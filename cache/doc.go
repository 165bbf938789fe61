// Package cache remembers answers, and serves none that a write has made wrong.
package cache
