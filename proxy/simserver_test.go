package proxy

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// simServer is one PostgreSQL server process, as far as the protocol goes. It
// knows a few statements and answers with what the session may see: the tag in
// the statement and its own settings and prepared statements. Two of them that
// are fed the same bytes give the same answer, so one that serves a client
// alone says what the proxy owes it.
type simServer struct {
	in, out  []byte
	settings map[string]string
	local    map[string]string // settings of the transaction alone
	defaults map[string]string
	simTransaction
	simKept
	simWork
	simPlans
	simListening
	simWrites
	skipping bool
	named    map[string]string
	unnamed  *string
	portals  map[string]simPortal
	sources  map[string]string // of the named ones that PREPARE made: the text that it was in
	copying  bool              // reading copy data
	copyLeft int               // CopyData messages until the copy fails; -1: it does not
	simple   bool              // the copy belongs to a Query
	copied   int
	start    string // application_name as given at start-up
	last     string // what setval has left for lastval
	dead     bool
}

// simPortal is a statement with its parameters, and the text that it stands in.
type simPortal struct{ text, source string }

// newSimServer makes a process that was started with an application_name, or
// none.
func newSimServer(name string) *simServer {
	v := &simServer{
		start:    name,
		settings: map[string]string{}, local: map[string]string{},
		defaults: map[string]string{"application_name": "", "work_mem": "4MB", "timezone": "UTC"},
		named:    map[string]string{}, simTransaction: simTransaction{status: 'I'}, simKept: newSimKept(),
		portals: map[string]simPortal{}, sources: map[string]string{},
	}
	if name != "" {
		v.settings["application_name"] = name
	}
	(&simBus{}).join(v)
	return v
}

// feed takes bytes and works as far as they go.
func (v *simServer) feed(p []byte) {
	v.in = append(v.in, p...)
	v.work()
}

func (v *simServer) work() {
	for !v.dead && !v.busy {
		n, ok := wire.FrameLen(v.in)
		if !ok || n > len(v.in) {
			return
		}
		if n < 0 {
			panic("sim: garbage reached a backend")
		}
		frame := v.in[:n]
		if v.takesTime(frame[0]) {
			v.busy = true
			return
		}
		v.message(frame[0], frame[wire.HeaderLen:])
		v.in = v.in[n:]
	}
}

func (v *simServer) message(typ byte, body []byte) {
	if v.copying {
		v.copyMessage(typ)
		return
	}
	if typ == wire.CopyData || typ == wire.CopyDone || typ == wire.CopyFail {
		return
	}
	if v.skipping && typ != wire.Sync && typ != wire.Terminate {
		return
	}
	if v.cancels(typ) {
		v.failMessage(typ, body)
		return
	}
	v.amid = typ != wire.Query && typ != wire.Sync
	switch typ {
	case wire.Terminate:
		v.dead = true
	case wire.Query:
		v.query(string(body[:len(body)-1]))
	case wire.Sync:
		v.skipping = false
		v.endImplicit()
		v.ready()
	case wire.Flush:
	default:
		v.simple = false
		v.extended(typ, body)
	}
}

func (v *simServer) extended(typ byte, body []byte) {
	switch typ {
	case wire.Parse:
		name, rest, _ := wire.CString(body)
		text, _, _ := wire.CString(rest)
		v.parse(string(name), string(text))
	case wire.Bind:
		portal, rest, _ := wire.CString(body)
		name, _, _ := wire.CString(rest)
		text := v.statement(string(name))
		if text == nil {
			v.fail("26000", "no such statement "+string(name))
			return
		}
		if v.refuses(*text) || v.stale(*text) || v.outdated(string(name), *text) {
			return
		}
		bound := *text
		if strings.Contains(bound, "set_config($1") {
			bound = simBound(rest)
		}
		v.portals[string(portal)] = simPortal{bound, *text}
		v.out = wire.AppendEmpty(v.out, wire.BindComplete)
	case wire.Describe:
		if body[0] == 'S' {
			name := string(body[1 : len(body)-1])
			text := v.statement(name)
			if text == nil {
				v.fail("26000", "no such statement")
				return
			}
			if !rowsOf(*text) || !v.refuses(*text) && !v.stale(*text) && !v.outdated(name, *text) {
				v.out = append(v.out, wire.ParameterDescription, 0, 0, 0, 6, 0, 0)
				v.describe(*text)
			}
			return
		}
		v.fail("34000", "no portal")
	case wire.Execute:
		name, _, _ := wire.CString(body)
		portal, ok := v.portals[string(name)]
		if !ok {
			v.fail("34000", "no portal")
			return
		}
		if string(name) == ourName && strings.HasPrefix(portal.text, "PREPARE") && v.stale(portal.text) {
			return
		}
		v.execute(portal.text, portal.source, false)
	case wire.Close:
		name := string(body[1 : len(body)-1])
		switch {
		case body[0] == 'P':
			delete(v.portals, name)
		case name == "":
			v.unnamed = nil
		default:
			v.forget(name)
		}
		v.out = wire.AppendEmpty(v.out, wire.CloseComplete)
	}
}

func (v *simServer) statement(name string) *string {
	if name == "" {
		return v.unnamed
	}
	if text, ok := v.named[name]; ok {
		return &text
	}
	return nil
}

func (v *simServer) parse(name, text string) {
	if name == "" {
		v.unnamed = nil
	}
	if strings.Contains(text, "pgjay: refused ") && !strings.Contains(text, "pg_catalog.text") {
		v.stale(text)
		return
	}
	if strings.HasPrefix(text, "SYNTAX") || text == failing {
		v.fail("42601", "syntax error")
		return
	}
	if text != "" && v.refuses(text) || v.missing(text) {
		return
	}
	if name == "" {
		v.unnamed = &text
	} else if _, taken := v.named[name]; taken {
		v.fail("42P05", "already exists")
		return
	} else {
		v.named[name] = text
	}
	v.plan(name)
	v.out = wire.AppendEmpty(v.out, wire.ParseComplete)
}

// refuses gives the error for what a failed transaction does not do any more.
func (v *simServer) refuses(text string) bool {
	if v.status != 'E' || text == "COMMIT" || strings.HasPrefix(text, "ROLLBACK") {
		return false
	}
	v.fail("25P02", "transaction aborted")
	return true
}

func (v *simServer) query(text string) {
	v.unnamed = nil
	v.simple = true
	if strings.TrimSpace(text) == "" {
		v.out = wire.AppendEmpty(v.out, wire.EmptyQueryResponse)
	}
	statements := strings.Split(text, ";")
	if question, ok := strings.CutPrefix(text, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; "); ok { // the proxy's has semicolons in strings
		statements = []string{question}
	}
	for _, statement := range statements {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		if !v.execute(statement, text, true) {
			break
		}
		if v.copying {
			return
		}
	}
	v.endImplicit()
	v.ready()
}

func (v *simServer) ready() {
	if v.status == 'I' {
		v.tell()
	}
	v.out = wire.AppendReadyForQuery(v.out, v.status)
}

func (v *simServer) fail(code, message string) bool {
	v.out = (&wire.Error{Severity: "ERROR", Code: code, Message: message}).Append(v.out)
	return v.failed()
}

func (v *simServer) failed() bool {
	v.abort()
	if !v.simple {
		v.skipping = true
	}
	clear(v.portals)
	return false
}

func (v *simServer) describe(text string) {
	if rowsOf(text) {
		if v.refuses(text) {
			return
		}
		v.out = append(v.out, wire.RowDescription, 0, 0, 0, 6, 0, 0)
	} else {
		v.out = wire.AppendEmpty(v.out, wire.NoData)
	}
}

func rowsOf(text string) bool {
	return strings.HasPrefix(text, "SELECT") || strings.HasPrefix(text, "SHOW")
}

func (v *simServer) complete(tag string) bool {
	v.out = append(v.out, wire.CommandComplete)
	v.out = binary.BigEndian.AppendUint32(v.out, uint32(4+len(tag)+1))
	v.out = append(append(v.out, tag...), 0)
	return true
}

func (v *simServer) data(typ byte, value string) {
	v.out = append(v.out, typ)
	v.out = binary.BigEndian.AppendUint32(v.out, uint32(4+len(value)))
	v.out = append(v.out, value...)
}

// execute runs a statement; source is the text that it stands in.
func (v *simServer) execute(text, source string, describe bool) bool {
	if v.refuses(text) {
		return false
	}
	word, rest, _ := strings.Cut(text, " ")
	if describe && rowsOf(text) {
		v.describe(text)
	}
	switch word {
	case "SELECT":
		if strings.HasPrefix(rest, "'set'") {
			return v.left(text)
		}
		if strings.HasPrefix(rest, "pg_catalog.current_setting(") {
			return v.tellMeaning()
		}
		if strings.HasPrefix(rest, "pg_advisory") {
			return v.lock(rest)
		}
		if v.missing(text) {
			return false
		}
		if v.rows != nil && strings.HasPrefix(rest, "v FROM") {
			return v.readRow(rest)
		}
		if name, ok := tableOf(text); ok {
			rest = v.temp[name]
		}
		if strings.Contains(rest, "1/0") {
			return v.fail("22012", "division by zero")
		}
		if rest == "lastval()" && v.last == "" {
			return v.fail("55000", "lastval is not yet defined in this session")
		}
		if strings.HasPrefix(rest, "setval(") {
			v.last = rest
		}
		if rest == "lastval()" {
			rest += v.last
		}
		for i := range strings.Count(rest, "*") + 1 {
			v.data(wire.DataRow, fmt.Sprintf("%s #%d %s", rest, i, v.visible()))
		}
		return v.complete("SELECT 1")
	case "NOTICE":
		v.data(wire.NoticeResponse, "S\x00\x00")
		return v.complete("NOTICE")
	case "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK":
		return v.transaction(word, rest)
	case "SET":
		v.setCommand(rest)
		return v.complete("SET")
	case "RESET":
		v.set(rest, "")
		return v.complete("RESET")
	case "CREATE", "DROP", "DECLARE", "FETCH", "CLOSE":
		return v.keep(word, text)
	case "DISCARD":
		if rest == "TEMP" {
			v.dropTemp()
			return v.complete("DISCARD TEMP")
		}
		v.last = ""
		if rest == "SEQUENCES" {
			return v.complete("DISCARD SEQUENCES")
		}
		if v.status != 'I' {
			return v.fail("25001", "in a transaction")
		}
		for name := range v.settings {
			v.set(name, "")
		}
		v.undo, v.simKept = nil, newSimKept()
		clear(v.channels)
		v.forgetAll()
		v.unnamed = nil
		return v.complete("DISCARD ALL")
	case "PREPARE":
		name, body, _ := strings.Cut(rest, " AS ")
		if _, taken := v.named[name]; taken {
			return v.fail("42P05", "already exists")
		}
		if v.missing(body) {
			return false
		}
		v.named[name], v.sources[name] = body, source
		return v.complete("PREPARE")
	case "EXECUTE":
		body, ok := v.named[rest]
		if !ok {
			return v.fail("26000", "no such statement "+rest)
		}
		if v.stale(body) {
			return false
		}
		if strings.HasPrefix(body, "EXECUTE") { // it might be itself
			return v.fail("54001", "stack depth limit exceeded")
		}
		return v.execute(body, source, describe)
	case "DEALLOCATE":
		return v.deallocate(rest)
	case "COPY":
		return v.copy(rest)
	case "LISTEN", "UNLISTEN", "NOTIFY":
		return v.notify(word, rest)
	case "UPDATE":
		return v.writeRow(rest)
	case "ALTER":
		return v.complete("ALTER TABLE")
	}
	return v.fail("42601", "syntax error at "+word)
}
