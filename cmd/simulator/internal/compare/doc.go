// Package compare asks the same on several paths to PostgreSQL, in turns, and says
// how much faster one is than another, and how sure that is. Each path has a copy of
// the database, so that all are asked the same of the same.
package compare
