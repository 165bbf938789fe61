// Package catalog has facts about the database: keys, nullability, foreign
// keys, volatility, triggers, views, partitions. It is empty until its issue.
package catalog
