package proxy

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Backends may have been started so that auto_explain tells the plans of slow statements
// (pool.Plans): in a notice, which no client gets. In the simple protocol it comes before
// CommandComplete; in the extended one when the portal goes: with the next Bind, the Sync or
// the COMMIT, which may belong to a later exchange. So it is by the text in it that it is
// known which statement it is about.
//
// A client that asks for auto_explain itself, or looks at all settings, gets a backend
// that does not tell.

// maxTold is the longest notice with a plan that is read; a longer one is dropped.
const maxTold = 1 << 20

// telling is how such a notice begins, behind the translated severity.
var telling = []byte("\x00VINFO\x00C00000\x00Mduration: ")

// tellingFrom is how much of a notice must be there to know that.
const tellingFrom = 100

// mayTell reports whether a backend message, of which this much is there, may be a plan.
func (s *session) mayTell(typ byte, body []byte) bool {
	return typ == wire.NoticeResponse && s.back.lease.TellsPlans() &&
		(len(body) < tellingFrom || bytes.Contains(body[:tellingFrom], telling))
}

// told takes a notice that tells a plan, and reports whether it is one. Nobody but
// auto_explain can say which routine a notice comes from.
func (s *session) told(body []byte) bool {
	if !s.mayTell(wire.NoticeResponse, body) {
		return false
	}
	whole := bytes.HasSuffix(body, []byte{0, 0})
	if whole && !bytes.Contains(body, []byte("\x00Fauto_explain.c\x00")) {
		return false
	}
	if n := uint64(wire.HeaderLen + len(body)); s.sample.observed.bytes >= n {
		s.sample.observed.bytes -= n // it is none of the reply
	}
	if whole && s.who.owner != nil {
		s.offerTold(wire.ParseError(body).Message)
	}
	return true
}

// offerTold has a plan looked at.
func (s *session) offerTold(message string) {
	took, raw, ok := cutTold(message)
	text := queryText(raw)
	limit := s.who.owner.Explain()
	if !ok || text == nil || limit <= 0 || int64(took) < limit || s.asksSo(text) {
		return
	}
	sh := s.shapeOf(s.who.owner, nil, text)
	if x := &s.sample.observed; x.rewritten && x.n == 1 {
		sh = x.runs[0].shape
	}
	if explainer := s.monitor.Explainer(); explainer.WantsTold(sh, took) {
		explainer.OfferTold(&explain.Request{
			Shape: sh, Key: s.who.pool.Key(), Settings: pool.Diff(pool.Label{}, s.who.label),
			Text: text, Observed: took, Told: raw,
		})
	}
}

// asksSo reports whether a text may be one of PgJay's own, which names all with its schema.
func (s *session) asksSo(text []byte) bool {
	return !s.queue.empty() && s.queue.head().act == swallow && bytes.Contains(text, []byte("pg_catalog."))
}

// cutTold finds the time and the plan in a message.
func cutTold(message string) (took time.Duration, plan explain.Told, ok bool) {
	const before, after = "duration: ", " ms  plan:\n"
	if len(message) < len(before) {
		return 0, nil, false
	}
	number, raw, ok := bytes.Cut([]byte(message[len(before):]), []byte(after))
	ms, err := strconv.ParseFloat(string(number), 64)
	return time.Duration(ms * float64(time.Millisecond)), raw, ok && err == nil
}

// queryText is the statement that a plan is of: the first field of it.
func queryText(plan explain.Told) []byte {
	const field = `"Query Text": `
	_, rest, ok := bytes.Cut(plan, []byte(field))
	if !ok {
		return nil
	}
	var text string
	if err := json.NewDecoder(bytes.NewReader(rest)).Decode(&text); err != nil {
		return nil
	}
	return []byte(text)
}

// looksAtPlans is called before a statement is sent, or prepared, that may see or change
// how the backend tells plans, and reports whether it must wait for another backend.
func (s *session) looksAtPlans(class sqlparse.Class, text []byte) (wait bool) {
	b := &s.back
	if !b.lease.TellsPlans() || b.status != wire.StatusIdle || s.tx.pins != 0 || s.client.statements.bySQL != 0 ||
		s.begin.text != "" || s.tx.unsynced || !namesPlans(class, text) {
		return false
	}
	if !s.queue.empty() {
		s.pauseClient(pausedWaiting)
		return true
	}
	s.release()
	s.dialOwn(sqlparse.ReasonNewBackend)
	return true
}

// namesPlans reports whether a text names a setting of auto_explain, or all settings.
func namesPlans(class sqlparse.Class, text []byte) bool {
	if class.First == sqlparse.CommandShow {
		if words := bytes.Fields(bytes.TrimRight(text, "; \t\r\n")); bytes.EqualFold(words[len(words)-1], []byte("all")) {
			return true
		}
	}
	for at := 0; ; at++ {
		n := bytes.IndexByte(text[at:], '_')
		if n < 0 {
			return false
		}
		at += n
		before, after := text[:at], text[at+1:]
		if endsFold(before, "auto") && beginsFold(after, "explain") ||
			endsFold(before, "pg") && (beginsFold(after, "settings") || beginsFold(after, "show_all_settings")) {
			return true
		}
	}
}

func endsFold(text []byte, end string) bool {
	return len(text) >= len(end) && bytes.EqualFold(text[len(text)-len(end):], []byte(end))
}

func beginsFold(text []byte, begin string) bool {
	return len(text) >= len(begin) && bytes.EqualFold(text[:len(begin)], []byte(begin))
}

// asksForPlans reports whether the client's start-up packet has settings of auto_explain
// and the pool's backends may have others: then the session gets a backend of its own.
func (s *session) asksForPlans() bool {
	for _, setting := range s.who.label.Settings() {
		if beginsFold([]byte(setting.Name), "auto_explain.") {
			return s.monitor.Plans(s.who.pool.Key()).Threshold > 0
		}
	}
	return false
}
