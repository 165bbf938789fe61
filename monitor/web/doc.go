// Package web is the dashboard: pages for people, on the admin address, and the JSON
// that they are made of. Everything in it only reads.
//
// The pages are in static: plain JavaScript modules with preact, htm and uPlot, which
// `make web` copies from npm into static/vendor. They are in the binary, and nothing is
// built or fetched when it runs. A browser may load nothing but them (access.go has the
// policy), so whatever a statement's text has in it stays text.
//
// A page asks for one JSON document (api.go) every few seconds, but for the live figures,
// which are pushed (live.go). No document has a literal of a statement, a parameter or a
// password: texts come without literals from those who keep them.
//
// Who may see it is decided in access.go: whoever can reach an admin address on the
// loopback interface; anybody else has to log in, and without a password in the
// configuration there is no dashboard for them.
package web
