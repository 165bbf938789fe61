package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// BackendData takes bytes from the leased backend. p is valid until it returns.
func (s *session) BackendData(p []byte) {
	defer s.endEvent()
	s.meter.bytes.ServerReceived += uint64(len(p))
	if s.state == stateTunnel {
		s.toClient(p)
		return
	}
	if kept := s.back.in; kept != nil {
		kept = append(kept, p...)
		s.back.in = nil
		s.keepBackend(kept, s.relay(kept))
		s.giveBuffer(kept)
	} else {
		s.keepBackend(p, s.relay(p))
	}
	s.afterReplies()
}

// keepBackend keeps what relay could not use: an incomplete frame.
func (s *session) keepBackend(p []byte, used int) {
	if used < len(p) && !s.back.broken {
		s.back.in = append(s.takeBuffer(len(p)-used), p[used:]...)
	}
}

// relay passes backend messages on, in as few pieces as possible, and returns
// how many bytes it has used. What it leaves is a frame that must be
// understood and is not complete.
func (s *session) relay(p []byte) (used int) {
	from, i := 0, 0 // p[from:i] is for the client
	held := s.rewriting != nil && s.holdsFailure(p)
	s.back.torn = s.back.rest > 0 && s.back.restAction == forward
	for i < len(p) && !s.back.broken {
		n, act := s.back.rest, s.back.restAction
		if n == 0 {
			var ok bool
			if n, ok = wire.FrameLen(p[i:]); !ok {
				break
			}
			have := min(n, len(p)-i)
			if n < 0 || have < n && (s.mustKnow(p[i], have) || have < maxTold && s.mayTell(p[i], p[i+wire.HeaderLen:i+have])) {
				break
			}
			s.sample.observed.bytes += uint64(n)
			made := (s.queue.headFlushed() || !comesAnytime(p[i])) && s.makeReplies()
			act = s.reply(p[i], p[i+wire.HeaderLen:i+have])
			if s.back.healing && len(s.back.sent) > 0 {
				from, s.aside = i, s.aside[:0] // nothing of the exchange has reached the client
			} else if made && !held {
				s.forgetSent()
			}
		}
		have := min(n, len(p)-i)
		s.back.rest, s.back.restAction = n-have, act
		if held {
			held = !s.back.healing
			i += have
			from, s.aside = i, s.aside[:0]
			continue
		}
		if len(s.aside) > 0 || act == swallow {
			s.relayRun(p[from:i])
			s.relayAside()
			from = i
		}
		i += have
		if act == swallow {
			from = i
		}
	}
	s.relayRun(p[from:i])
	s.back.torn = false
	if i == len(p) && s.back.rest == 0 && s.queue.headFlushed() && s.makeReplies() {
		s.giveMade()
	}
	if s.page != nil && s.page.ended {
		s.finishPage()
	}
	if s.fill != nil && s.fill.ended {
		s.keepAnswer()
	}
	if n, ok := wire.FrameLen(p[i:]); ok && n < 0 {
		s.backendViolation()
	}
	return i
}

// comesAnytime reports whether a backend message may come that is no reply.
func comesAnytime(typ byte) bool {
	return typ == wire.NoticeResponse || typ == wire.ParameterStatus || typ == wire.NotificationResponse
}

// makeReplies puts the replies that are next, as far as they are made here, into
// s.aside, and reports whether there are any.
func (s *session) makeReplies() bool {
	for s.queue.skipMarks(); !s.queue.empty() && s.queue.head().kind.made(); {
		head := *s.queue.head()
		if typ := byte(wire.ParseComplete); head.act == forward {
			if head.kind == expectClosed {
				typ = wire.CloseComplete
			}
			s.aside = wire.AppendEmpty(s.aside, typ)
		}
		s.client.statements.commit()
		s.queue.pop()
	}
	return len(s.aside) > 0
}

// relayRun sends a run of backend messages to the client.
func (s *session) relayRun(p []byte) {
	if len(p) == 0 || s.page != nil && s.keepPage(p) {
		return
	}
	s.forgetSent() // the client has seen a reply: no other try
	s.give(p)
}

// giveMade sends the client the replies that were made, and nothing else.
func (s *session) giveMade() {
	if s.page == nil || !s.keepPage(s.aside) {
		s.tell(len(s.aside) / wire.HeaderLen)
		s.give(s.aside)
	}
	s.aside = s.aside[:0]
}

func (s *session) give(p []byte) {
	if s.fill != nil {
		s.tee(p)
	}
	s.toClient(p)
}

// relayAside sends what was made to the client.
func (s *session) relayAside() {
	if len(s.aside) > 0 && (s.page == nil || !s.keepPage(s.aside)) {
		s.toClient(s.aside)
	}
	s.aside = s.aside[:0]
}

// mustKnow reports whether the body of a backend message is looked at, of which
// so much is there.
func (s *session) mustKnow(typ byte, have int) bool {
	if have >= maxPrefix {
		return typ == wire.DataRow && s.back.question != nil && have < maxAnswer
	}
	return typ == wire.ReadyForQuery || typ == wire.ErrorResponse || typ == wire.ParameterStatus || typ == wire.CommandComplete ||
		typ == wire.DataRow && (s.back.question != nil || len(s.back.meanings) > 0) || typ == wire.RowDescription && (len(s.back.describing) > 0 || s.rewriting != nil) ||
		typ == wire.ParameterDescription && len(s.back.describing) > 0 ||
		typ == wire.NotificationResponse && s.listen != nil
}

// reply follows one backend message through the queue of expected replies and
// says what to do with it. What the client is to get before it is in s.aside.
func (s *session) reply(typ byte, body []byte) action {
	switch typ {
	case wire.DataRow, wire.CopyData:
		return s.row(body)
	case wire.ParameterStatus:
		return s.parameterStatus(body)
	case wire.NoticeResponse:
		if s.told(body) {
			return swallow
		}
		return s.headAction()
	case wire.NotificationResponse:
		return s.notification(body)
	case wire.ErrorResponse:
		return s.errorReply(body)
	case wire.ReadyForQuery:
		act := s.readyForQuery(body)
		if act == forward && s.listen != nil && s.holdReady() {
			return swallow
		}
		return act
	case wire.CommandComplete:
		s.back.executed = true
		ours := s.back.labelling || !s.queue.empty() && s.queue.head().kind.ours()
		s.noteTag(body, ours)
		act := s.complete(typ)
		if act == forward {
			s.sample.setTag(body)
			s.sample.observed.completed(s.loop.Now(), s.sample.sent)
		}
		return act
	case wire.RowDescription, wire.NoData:
		if s.describes() {
			s.noteRowType(body)
		}
		act := s.complete(typ)
		if act == forward && typ == wire.RowDescription && s.rewriting != nil {
			act = s.withOwnOrigins(body)
		}
		return act
	case wire.EmptyQueryResponse, wire.PortalSuspended:
		act := s.complete(typ)
		if act == forward {
			s.sample.observed.suspended(s.loop.Now(), s.sample.sent)
		}
		return act
	case wire.ParseComplete, wire.BindComplete, wire.CloseComplete:
		return s.complete(typ)
	case wire.CopyInResponse:
		return s.copyInBegins()
	case wire.ParameterDescription:
		if s.describes() {
			s.noteParameters(body)
		}
		return s.headAction()
	case wire.CopyOutResponse, wire.CopyDone, wire.FunctionCallResponse:
		return s.headAction()
	}
	s.backendViolation()
	return swallow
}

// describes reports whether the reply that is under way is to a Describe of ours.
func (s *session) describes() bool {
	return !s.queue.empty() && s.queue.head().kind.describes()
}

// noteTag notes what a command has done that its text does not tell for sure.
func (s *session) noteTag(tag []byte, ours bool) {
	if len(tag) == 0 || tag[0] != 'D' || ours {
		return
	}
	all := string(tag) == "DISCARD ALL\x00"
	if all && s.listen != nil {
		s.silence()
	}
	if all && s.back.reapply != nil {
		s.back.undone = true
	}
	if all || string(tag) == "DEALLOCATE ALL\x00" {
		s.client.statements.clear()
		s.back.lease.Statements.Clear()
		if !s.tx.pins.Has(sqlparse.ReasonPrepared) { // or a PREPARE may follow; the backend will be asked
			s.unexpose()
		}
	}
}

// headAction returns the action of the reply that is under way.
func (s *session) headAction() action {
	s.queue.skipMarks()
	if s.queue.empty() {
		return forward // a notice at no particular time
	}
	s.back.begun = true
	return s.queue.head().act
}

// row handles a DataRow or CopyData. A client that said Terminate and closed
// its socket would have made PostgreSQL stop at the first row it cannot send.
func (s *session) row(body []byte) action {
	if s.back.question != nil {
		s.answerRow(body)
	}
	if len(s.back.meanings) > 0 && s.queue.head().kind == expectMeaning {
		s.answerMeaning(body)
	}
	if s.gone && s.client.polite && s.cancel.inFlight == 0 {
		s.client.polite = false
		s.sendCancel()
	}
	act := s.headAction()
	if act == forward {
		s.sample.observed.rowComes(s.loop.Now())
		s.sample.observed.fetched++
	}
	return act
}

// complete handles a message that ends the reply to a message of the extended
// protocol, or is part of the reply to a Query.
func (s *session) complete(typ byte) action {
	s.queue.skipMarks()
	if s.queue.empty() {
		s.backendViolation()
		return swallow
	}
	head := s.queue.head()
	act := head.act
	s.back.begun = true
	if typ == wire.CommandComplete && s.tx.copyIn.active {
		s.tx.copyIn = copyState{}
		s.queue.endCopyIn()
	}
	switch head.kind {
	case expectChange, expectLoad, expectChangeLoad:
		s.prepared(head.kind)
		s.queue.pop()
	case expectReply, expectOurs, expectRowType, expectNamed:
		s.queue.pop()
	case expectSpare:
		s.back.spares = append(s.back.spares[:0], s.back.spares[1:]...)
		s.queue.pop()
	case expectMeaning:
		s.who.mute = s.who.meaning == s.back.meanings[0]
		s.unasked(1)
		s.queue.pop()
	case expectRefusal:
		s.answerRefusal()
		s.queue.pop()
		return swallow
	case expectFence:
		if typ == wire.CloseComplete {
			head.kind = expectSync // nothing but its ReadyForQuery is left
		}
	case expectSync:
		s.backendViolation()
		return swallow
	}
	return act
}

// copyInBegins handles CopyInResponse.
func (s *session) copyInBegins() action {
	act := s.headAction()
	if s.queue.empty() {
		s.backendViolation()
		return swallow
	}
	s.tx.copyIn.active = true
	s.tx.copyIn.ambiguous = s.queue.beginCopyIn() > 0
	if s.gone && !s.queue.copyEndQueued() {
		s.endCopyForGone()
	}
	return act
}

// betweenMessages reports whether the client is not in the midst of a message.
func (s *session) betweenMessages() bool { return s.back.rest == 0 || s.back.restAction == swallow }

// parameterStatus notes a parameter's new value. While the label changes the
// client is not told: for it nothing changes.
func (s *session) parameterStatus(body []byte) action {
	b := s.back.lease
	name, rest, _ := wire.CString(body)
	value, _, _ := wire.CString(rest)
	b.Params = b.Params.With(string(name), string(value))
	if s.back.labelling || s.back.reapply != nil || s.yields.tries() || s.gone || s.state != stateReady {
		return swallow
	}
	told := s.who.params
	s.setParams(told.With(string(name), string(value)))
	if l := s.listen; l != nil && s.queue.owesClient() {
		if !l.untold {
			l.untold, l.told = true, told
		}
		return swallow
	}
	return forward
}

// readyForQuery handles the end of an exchange.
func (s *session) readyForQuery(body []byte) action {
	if len(body) != 1 {
		s.backendViolation()
		return swallow
	}
	s.back.status = body[0]
	s.queue.skipMarks()
	if s.queue.empty() {
		return s.unexpectedReady()
	}
	head := s.queue.head()
	act := head.act
	switch {
	case head.kind == expectFence:
		s.record()
		return forward
	case head.kind == expectSync, head.kind.ready() && s.back.begun:
	case s.back.fence:
		return forward // something else would have come before the one at the head
	default:
		s.backendViolation()
		return swallow
	}
	if head.kind == expectQuery {
		s.tx.copyIn.active = false
		s.unnamedDropped(act)
		s.begin.replies = max(s.begin.replies-1, 0)
	}
	s.queue.pop()
	if act == swallow && len(s.back.bringing) > 0 {
		s.brought()
	}
	s.back.cleaning, s.back.begun, s.back.executed = false, false, false
	if s.back.question != nil {
		s.conclude()
	}
	if act == forward && s.applyAgain() {
		return swallow
	}
	if s.back.labelling {
		s.back.labelling = false
		s.reportChanged()
	}
	if act == forward {
		if s.yields.tries() && !s.yields.failed {
			s.tellParams()
		}
		s.exchangeDone()
	}
	return act
}

// unexpectedReady handles the end of an exchange of which nobody knew whether
// it would have one: its Sync may have been ignored.
func (s *session) unexpectedReady() action {
	if !s.tx.copyIn.ambiguous && !s.back.fence {
		s.backendViolation()
		return swallow
	}
	s.tx.unsynced, s.client.skipping = false, false
	s.back.fence = true
	s.record()
	return forward
}

// reportChanged tells the client the parameter values that have changed
// without its being told. While it is not certain that they have, it does not.
func (s *session) reportChanged() {
	if !s.yields.tries() {
		s.tellParams()
	}
}

func (s *session) tellParams() {
	if s.state != stateReady || s.gone {
		return
	}
	for _, p := range s.back.lease.Params.Changed(s.who.params) {
		s.aside = wire.AppendParameterStatus(s.aside, p.Name, p.Value)
	}
	s.setParams(s.back.lease.Params)
}

// exchangeDone is called at the ReadyForQuery of an exchange of the client's.
func (s *session) exchangeDone() {
	now := s.loop.Now()
	result := s.transactionResult()
	s.endFill()
	s.endPage()
	s.endRewriting()
	s.record()
	s.retries, s.back.past, s.back.amid, s.begin = retries{}, true, false, heldBegin{}
	s.cancel.queryTimeout, s.tx.tries = false, false
	s.client.statements.undo = s.client.statements.undo[:0]
	if s.tx.discard {
		s.tx.discard = false
		if s.back.status == wire.StatusIdle && !s.tx.outlasts {
			s.setLabel(s.who.startup)
			s.back.lease.Label = s.who.startup
			s.unpin()
		}
	}
	if s.back.status == wire.StatusIdle {
		if s.tx.defined {
			s.tx.defined = false
			s.hidden.forget(s.who.pool.Key().Database)
			s.habits.forget(s.who.pool.Key().Database)
			s.who.pool.SchemaChanged()
		}
		if s.tx.opened {
			s.hidden.forgetDoors(s.who.pool.Key().Database, s.tx.feared)
			s.tx.opened, s.tx.feared = false, false
		}
		s.endTransaction(now, result)
	}
	if !s.queue.empty() || s.tx.unsynced {
		s.sample.start, s.sample.sent = now, now
		s.clock.set(s, timeoutQuery, s.settings().timeouts.Query)
	}
}
