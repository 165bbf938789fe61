package pgtest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Script is one wire table: what clients send, and what each must receive.
// It runs first against plain PostgreSQL, which proves the expectation, and
// then through the proxy.
type Script struct {
	Name  string
	Setup string   // SQL run directly on PostgreSQL before each run
	Start []string // start-up parameters beside user and database
	// Manual connections send nothing of their own accord: the script has the
	// start-up packets.
	Manual bool
	// Blocks says that transactions of several statements occur, which pool
	// mode statement refuses.
	Blocks bool
	// Loose says that only the expectation counts, not every byte: the proxy
	// gives an answer itself, or the answer is another each time.
	Loose bool
	// ProxyOnly expectations are not those of PostgreSQL 15.
	ProxyOnly bool
	// Backends is how many backends the script needs at once; 0 is 1.
	Backends int
	Steps    []Step
}

// LegalIn says whether the script can run in a pool mode; "" is plain PostgreSQL.
func (s *Script) LegalIn(mode string) bool {
	switch mode {
	case "":
		return !s.ProxyOnly
	case "statement":
		return !s.Blocks
	}
	return true
}

// Step is something sent and what must come back, or an action.
type Step struct {
	conn string
	send []pgproto3.FrontendMessage
	want []string
	act  func(*run) error
	name string // of the action
}

// Send is a step that sends messages in one run of bytes.
func Send(messages ...pgproto3.FrontendMessage) Step { return Step{send: messages} }

// Expect adds what must come back, message by message, as Frame.String renders
// it. In a pattern * stands for anything, "1000x D *" for a thousand messages,
// "+ S *" for one or more, and "..." for any messages before the next one.
func (s Step) Expect(patterns ...string) Step {
	s.want = append(s.want, patterns...)
	return s
}

// On makes the step happen on another connection than "a".
func (s Step) On(conn string) Step {
	s.conn = conn
	return s
}

// Receive is a step that only waits.
func Receive(patterns ...string) Step { return Step{want: patterns} }

// Drop closes a connection's socket without a word.
func Drop(conn string) Step {
	return Step{name: "drop " + conn, act: func(r *run) error {
		r.conns[conn].Close()
		delete(r.conns, conn)
		return nil
	}}
}

// Connect opens a connection with start-up parameters of its own.
func Connect(conn string, params ...string) Step {
	return Step{name: "connect " + conn, act: func(r *run) error { return r.open(conn, params) }}
}

// Cancel sends a cancel request for a connection and waits until the server
// has taken it.
func Cancel(conn string) Step {
	return Step{name: "cancel " + conn, act: func(r *run) error {
		return r.conns[conn].Cancel(r.to.Address)
	}}
}

// Await polls a query directly on PostgreSQL until it returns true.
func Await(sql string) Step {
	return Step{name: "await " + sql, act: func(r *run) error {
		return r.to.Admin.Await(sql)
	}}
}

// Target is where a script runs.
type Target struct {
	Address  string // of the proxy, or of PostgreSQL
	Admin    *Admin // straight to PostgreSQL, for setup and for looking on
	User     string
	Database string
	Cut      Cutter // nil writes whole
}

// Run runs the script. The transcript is there in any case; the error is the
// first thing that was not as expected.
func (s *Script) Run(to Target) (*Transcript, error) {
	r := &run{script: s, to: to, log: &Transcript{}, conns: map[string]*Conn{}, ahead: map[string]Frame{}}
	defer r.close()
	err := r.steps()
	if err == nil {
		err = r.finish()
	}
	return r.log, err
}

// run is a script under way.
type run struct {
	script *Script
	to     Target
	log    *Transcript
	conns  map[string]*Conn
	ahead  map[string]Frame // received, not yet expected: what ended a "+"
}

func (r *run) steps() error {
	if r.script.Setup != "" {
		if err := r.to.Admin.Exec(r.script.Setup); err != nil {
			return fmt.Errorf("setup: %w", err)
		}
	}
	for i, step := range r.script.Steps {
		if err := r.step(step); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (r *run) step(s Step) error {
	if s.act != nil {
		r.log.add(Entry{Conn: "*", Sent: s.name})
		return s.act(r)
	}
	if s.conn == "" {
		s.conn = "a"
	}
	c, err := r.conn(s.conn)
	if err != nil {
		return err
	}
	p, err := c.encode(s.send)
	if err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() { written <- c.write(p) }()
	err = r.expect(c, s.want)
	if werr := <-written; err == nil && !endsWithEOF(s.want) {
		err = werr
	}
	return err
}

func endsWithEOF(want []string) bool { return len(want) > 0 && want[len(want)-1] == "EOF" }

// conn returns a connection of the script, opened at its first use.
func (r *run) conn(name string) (*Conn, error) {
	if c, ok := r.conns[name]; ok {
		return c, nil
	}
	err := r.open(name, r.script.Start)
	return r.conns[name], err
}

func (r *run) open(name string, params []string) error {
	c, err := Dial(r.to.Address, name, r.log)
	if err != nil {
		return err
	}
	c.Cut = r.to.Cut
	r.conns[name] = c
	if r.script.Manual {
		return nil
	}
	return c.Start(pgproto3.ProtocolVersion30, append([]string{"user", r.to.User, "database", r.to.Database}, params...)...)
}

// expect receives as many messages as there are patterns.
func (r *run) expect(c *Conn, patterns []string) error {
	skip := false
	for _, p := range patterns {
		if p == "..." {
			skip = true
			continue
		}
		if err := r.expectOne(c, p, skip); err != nil {
			return err
		}
		skip = false
	}
	return nil
}

// expectOne receives what one pattern stands for. skip lets other messages
// come before.
func (r *run) expectOne(c *Conn, p string, skip bool) error {
	least, most, pattern := quantity(p)
	for n := 0; n < most; {
		f, err := r.next(c, pattern)
		switch {
		case err != nil:
			return fmt.Errorf("%w (want %q)", err, pattern)
		case Match(pattern, f.String()):
			n, skip = n+1, false
		case f.Type != EOF && skip:
		case n < least:
			return fmt.Errorf("%s: got %q, want %q", c.name, shorten(f.String()), pattern)
		default:
			r.ahead[c.name] = f
			return nil
		}
	}
	return nil
}

func (r *run) next(c *Conn, pattern string) (Frame, error) {
	if f, ok := r.ahead[c.name]; ok {
		delete(r.ahead, c.name)
		return f, nil
	}
	if strings.HasPrefix(pattern, "byte ") {
		b, err := c.ReceiveByte()
		return Frame{Type: LoneByte, Body: []byte{b}}, err
	}
	return c.Receive()
}

// quantity splits the count off a pattern.
func quantity(p string) (least, most int, pattern string) {
	if rest, ok := strings.CutPrefix(p, "+ "); ok {
		return 1, 1 << 30, rest
	}
	if count, rest, ok := strings.Cut(p, "x "); ok {
		if n, err := strconv.Atoi(count); err == nil {
			return n, n, rest
		}
	}
	return 1, 1, p
}

// Match says whether s has the form of pattern, in which * stands for anything.
func Match(pattern, s string) bool {
	first, rest, stars := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, first)
	if !ok || !stars {
		return ok && s == ""
	}
	for i := 0; i <= len(s); i++ {
		if Match(rest, s[i:]) {
			return true
		}
	}
	return false
}

// finish ends each connection that is open and makes sure that no message is
// left over.
func (r *run) finish() error {
	for name, c := range r.conns {
		if f, ok := r.ahead[name]; ok {
			return fmt.Errorf("%s: unexpected %s", name, f)
		}
		if r.script.Manual {
			continue
		}
		if err := c.finish(); err != nil {
			return err
		}
	}
	return nil
}

// finish sends Terminate and expects the end of the stream.
func (c *Conn) finish() error {
	if c.ended {
		return nil
	}
	if err := c.Send(Terminate); err != nil {
		return err
	}
	f, err := c.Receive()
	if err == nil && f.Type != EOF {
		err = fmt.Errorf("%s: unexpected %s", c.name, shorten(f.String()))
	}
	return err
}

func (r *run) close() {
	for _, c := range r.conns {
		c.Close()
	}
}
