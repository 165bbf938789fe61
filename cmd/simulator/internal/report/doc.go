// Package report shows what was measured: as a table for the terminal, as one HTML
// file that needs nothing else, as JSON, and as Markdown.
package report
