// Package seed loads the data of package crm into PostgreSQL, in the three ways
// that applications do: COPY, INSERTs of many rows, and INSERTs of one.
package seed
