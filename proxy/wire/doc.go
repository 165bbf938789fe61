// Package wire finds, reads and builds the frames of PostgreSQL's frontend/
// backend protocol, versions 3.0 and 3.2 (PostgreSQL documentation, chapter
// "Frontend/Backend Protocol").
//
// It has no I/O and knows no session. A frame is one type byte, a four-byte
// length that counts itself, and a body; the start-up packets have no type
// byte. The scanner looks at headers only: bodies pass through it untouched.
// Byte slices handed out alias the caller's memory and live as long as that.
package wire
