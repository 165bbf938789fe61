package proxy

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A page behind a deep OFFSET is got from a bookmark: see package rewrite. What is
// promised is the page that the plain statement gives. A bookmark is good as long as
// the words of what the statement reads say what they said when it was made; that is
// looked at again when the whole page has come, before any of it is let out. If they
// say something else, or anything else is in doubt, the client's own statement is
// executed after all.

// pageForm is how a page is got.
type pageForm uint8

const (
	pagePlain  pageForm = iota // by the client's statement
	pageMarked                 // from a bookmark
	pageFound                  // by the keys of its rows, which were found in an index
)

// deepPage is a page on its way from PostgreSQL to the client.
type deepPage struct {
	findings      *findings
	deep          *rewrite.Deep
	list          rewrite.ListKey
	limit, offset int64
	form          pageForm
	// version is what the words said before it was forwarded; for one from a bookmark,
	// when that was made. nil: there were writers in flight.
	version rewrite.Version
	mark    rewrite.Bookmark
	// original is what the client sent; of a unit, from the Bind on.
	original []byte
	text     string // what is executed in its place; empty: that itself
	parsed   *body  // the same, as a statement to be prepared
	values   []byte // of the Bind, with those of the bookmark
	binary   bool   // the key is sent in binary

	bound  bool // a unit's Bind was sent
	sent   bool // what follows is its reply
	closed bool // all of it was sent: the client's next message waits
	ended  bool // the ReadyForQuery has come
	over   bool // the reply is longer than maxPage
	frames []byte
}

const (
	// maxPage bounds the reply that is held back, in bytes.
	maxPage = 256 << 10
	// maxPageRows bounds LIMIT.
	maxPageRows = 10000
	// maxKeyBytes bounds the value of a bookmark.
	maxKeyBytes = 1 << 10
)

// held reports whether the page's reply is held back until it is known to be right.
func (p *deepPage) held() bool { return p != nil && p.form != pagePlain }

// mayPage reports whether a page may be got in another way now: where the cache may
// answer, and the session's texts are read as they are here.
func (s *session) mayPage() bool {
	return s.who.signature != nil && s.who.standard && s.bypass() == cache.NoBypass
}

// pageOfQuery notes whether a Query, which is forwarded next, asks for a deep page.
func (s *session) pageOfQuery(frame []byte, n int) {
	switch {
	case s.databases.bookmarks == nil, n != len(frame):
		return
	case s.page != nil:
		if bytes.Equal(s.page.original, frame) {
			return // it has waited
		}
		s.dropPage()
	}
	text := textOf(frame, n)
	if !sqlparse.MayPage(text) || !s.mayPage() {
		return
	}
	paging, ok := sqlparse.ReadPaging(text)
	if !ok || paging.Limit.Parameter != 0 || paging.Offset.Parameter != 0 {
		return
	}
	p := s.newPage(&lookup{text: text, hint: hintOf(text)}, paging.Limit.Value, paging.Offset.Value)
	if p == nil {
		return
	}
	p.list.Lo, p.list.Hi = s.queryList(text, &paging)
	p.original = bytes.Clone(frame)
	s.choosePage(p)
	switch p.form {
	case pageMarked:
		value := ""
		if !p.mark.Value.Null {
			value = p.deep.Type.Literal(p.mark.Value)
		}
		p.text = p.deep.Page(string(text), &paging, value, strconv.FormatInt(p.offset-p.mark.Rank, 10))
	case pageFound:
		p.text = p.deep.Found(string(text), &paging)
	}
	s.page = p
	s.sampleHot(p, &sampled{text: string(text), paging: paging})
}

// queryList says which list a Query asks for a page of.
func (s *session) queryList(text []byte, p *sqlparse.Paging) (lo, hi uint64) {
	first, second := p.Limit.Span, p.Offset.Span
	if second.Start < first.Start {
		first, second = second, first
	}
	h := &s.hasher
	h.Reset()
	h.Uint64(s.who.signature.id)
	h.Bytes(text[:first.Start])
	h.Bytes(text[first.End:second.Start])
	h.Bytes(text[second.End:])
	sum := h.Sum()
	return sum.Lo, sum.Hi
}

// newPage returns a page that is to be looked after; nil if there is nothing to be
// won, or the statement is not one for it.
func (s *session) newPage(q *lookup, limit, offset int64) *deepPage {
	cfg := &s.settings().rewrite
	if s.again {
		s.again = false
		return nil
	}
	if offset < int64(cfg.Offset.Min) || limit < 1 || limit > maxPageRows {
		return nil
	}
	key := s.who.pool.Key()
	on, stable := cfg.Deep(key.User, key.Database)
	if !on {
		return nil
	}
	v := s.verdictOn(q)
	if v == nil {
		return nil
	}
	f := v.current(s, q)
	if f == nil || f.deep == nil || sqlparse.NamesTime(q.text) || sqlparse.NamesTime(q.values) || q.hint.NoRewrite {
		return nil
	}
	datestyle, _ := s.who.params.Get("DateStyle")
	if !f.deep.Type.Carries(datestyle) {
		return nil
	}
	p := &deepPage{findings: f, deep: f.deep, limit: limit, offset: offset}
	if stable {
		p.list.Stable, p.version = true, &schemaVersion{s.who.database, f.generation}
	} else if stamp, ok := s.who.database.stamp(f); ok {
		p.version = &stamp
	}
	if f.visible && cfg.Offset.Join {
		p.form = pageFound
	}
	return p
}

// choosePage decides how the page is got. A bookmark must be so near that most of what
// the plain statement skips is saved.
func (s *session) choosePage(p *deepPage) {
	oldest := s.loop.Now() - int64(s.settings().rewrite.Offset.MaxAge)
	b, version, ok := s.databases.bookmarks.Find(p.list, p.offset, oldest)
	if ok && p.offset-b.Rank <= p.offset/2 {
		p.form, p.mark, p.version = pageMarked, b, version
	}
}

// sendQuery sends a Query on, or what is executed in its place.
func (s *session) sendQuery(class sqlparse.Class, frame []byte, n int) {
	p := s.page
	if p.held() {
		s.mixRewriting()
		s.keep(frame)
		s.toBackend(wire.AppendQuery(s.scratch[:0], p.text))
	} else if made := s.rewriteQuery(class, textOf(frame, n), n == len(frame)); made != nil {
		s.toBackend(made)
		s.keep(frame)
	} else {
		s.send(frame)
	}
	if p != nil {
		p.sent = true
		s.closePage()
	}
}

// closePage is called when all of a page's messages were sent. While its reply is held
// back, the client's next messages wait: the statement may have to be executed again.
func (s *session) closePage() {
	s.page.closed = true
	if s.page.held() {
		s.pauseClient(pausedWaiting)
	}
}

// dropPage forgets the page.
func (s *session) dropPage() { s.page = nil }

// keepPage takes a piece of the page's reply, and reports whether it is held back.
func (s *session) keepPage(piece []byte) (held bool) {
	p := s.page
	if !p.sent {
		return false
	}
	if p.over = p.over || len(p.frames)+len(piece) > maxPage; p.over {
		p.frames = nil
	} else {
		p.frames = append(p.frames, piece...)
	}
	return p.held()
}

// endPage notes that the exchange has ended.
func (s *session) endPage() {
	if p := s.page; p != nil {
		if p.ended = p.sent; !p.sent {
			s.dropPage() // it was refused before it came to that
		}
	}
}

// finishPage lets the page out if it is right, and has the client's statement executed
// if not.
func (s *session) finishPage() {
	p := s.page
	s.dropPage()
	r := p.read()
	switch why := s.doubts(p, &r); {
	case !p.held():
		s.databases.deepCounts.pages[pagePlain].Add(1)
	case why != doubtNone:
		s.databases.deepCounts.doubts[why].Add(1)
		s.executeOriginal(p)
		return
	default:
		s.databases.deepCounts.pages[p.form].Add(1)
		s.relayRun(p.frames)
	}
	if r.whole && p.version != nil && p.version.Current() {
		s.databases.bookmarks.Add(p.list, p.version, s.loop.Now(), r.marks...)
	}
}

// doubt is why a page is not let out.
type doubt uint8

const (
	doubtNone    doubt = iota
	doubtChanged       // something may have been written since the bookmark was made
	doubtShort         // rows may be missing
	doubtError         // the client's statement may not have failed
	doubtLarge         // it was too long to be held back
	doubtCount
)

var doubtNames = [doubtCount]string{"none", "changed", "short", "error", "large"}

// doubts says why a page must not be let out.
func (s *session) doubts(p *deepPage, r *pageReply) doubt {
	switch {
	case p.over:
		return doubtLarge
	case r.code != "":
		if s.back.status == wire.StatusIdle && !final(r.code) {
			return doubtError
		}
	case !r.whole:
		return doubtError
	case p.form == pageMarked && !p.version.Current():
		return doubtChanged
	case p.form == pageMarked && int64(r.rows) < p.limit && p.deep.MayLack(p.mark.Value):
		return doubtShort
	}
	return doubtNone
}

// final reports whether an error is the client's to know: it was asked for, or does
// not come from the statement.
func final(code string) bool {
	switch code[:min(2, len(code))] {
	case "25", "40", "53", "55", "57", "58", "XX":
		return true
	}
	return false
}

// executeOriginal has the client's statement executed, in an exchange of its own. What
// came beside the page is passed on.
func (s *session) executeOriginal(p *deepPage) {
	if s.gone {
		return
	}
	for rest := p.frames; len(rest) > 0; {
		n, _ := wire.FrameLen(rest)
		switch rest[0] {
		case wire.ParseComplete, wire.ParameterStatus, wire.NotificationResponse:
			s.toClient(rest[:n])
		}
		rest = rest[n:]
	}
	s.dropFill()
	s.forgetSent()
	s.again = true
	in := p.original
	if kept := s.client.in; kept != nil {
		in = append(in, kept...)
		s.giveBuffer(kept)
	}
	s.client.in = in
}

// pageReply is what a page's reply says.
type pageReply struct {
	whole bool // it is an answer, and ready
	rows  int
	code  string // of an error
	marks []rewrite.Bookmark
}

// read reads the reply, and makes bookmarks of the first and the last place where the
// leading key changes.
func (p *deepPage) read() (r pageReply) {
	var before rewrite.Value
	var first, last rewrite.Bookmark
	found, complete := 0, false
	for rest := p.frames; len(rest) > 0; {
		n, ok := wire.FrameLen(rest)
		if !ok || n < 0 || n > len(rest) {
			return pageReply{}
		}
		body := rest[wire.HeaderLen:n]
		switch rest[0] {
		case wire.DataRow:
			v, ok := column(body, p.deep.Column)
			v.Binary = p.binary
			if ok && r.rows > 0 && p.deep.Type.Differ(before, v) && len(v.Bytes) <= maxKeyBytes {
				last = rewrite.Bookmark{Rank: p.offset + int64(r.rows), Value: v}
				if found++; found == 1 {
					first = last
				}
			}
			before = v
			r.rows++
		case wire.ErrorResponse:
			r.code = string(wire.ErrorCode(body))
		case wire.CommandComplete:
			complete = true
		case wire.ReadyForQuery:
			r.whole = complete
		}
		rest = rest[n:]
	}
	switch {
	case found > 1:
		r.marks = []rewrite.Bookmark{first, last}
	case found == 1:
		r.marks = []rewrite.Bookmark{first}
	}
	return r
}

// column returns a column of a DataRow.
func column(row []byte, n int) (v rewrite.Value, ok bool) {
	if n < 0 || len(row) < 2 || n >= int(binary.BigEndian.Uint16(row)) {
		return v, false
	}
	row = row[2:]
	for ; len(row) >= 4; n-- {
		length := int32(binary.BigEndian.Uint32(row))
		row = row[4:]
		if int(length) > len(row) {
			return v, false
		}
		if n == 0 {
			if length < 0 {
				return rewrite.Value{Null: true}, true
			}
			return rewrite.Value{Bytes: string(row[:length])}, true
		}
		row = row[max(length, 0):]
	}
	return v, false
}

var _ rewrite.Version = (*cache.Stamp)(nil)

// schemaVersion is what bookmarks of stable pages depend on: nothing but the schema.
type schemaVersion struct {
	database   *database
	generation uint64
}

func (v *schemaVersion) Current() bool {
	generation, stable := v.database.generation()
	return stable && generation == v.generation
}
