// Package cache remembers answers. It is empty until its issue.
package cache
