package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// dedicatedTimeout bounds the login of a backend that is a session's own.
const dedicatedTimeout = time.Minute

// beginLogin handles the StartupMessage.
func (s *session) beginLogin(m *wire.Startup) {
	l := s.login
	l.startup = m
	l.user, _ = m.Get("user")
	if m.Version > wire.Version32 || len(m.Options) > 0 {
		s.toClient(wire.AppendNegotiateVersion(s.scratch[:0], min(m.Version, wire.Version32), m.Options))
	}
	if e := s.admit(); e != nil {
		s.fail(e)
		return
	}
	var err error
	if l.replicate, err = replication(m.Params); err != nil {
		s.fail(startupError(err))
		return
	}
	s.who.startup, l.refusal = startupLabel(m.Params)
	s.who.meaning = meaningOf(s.who.label)
	s.setLabel(s.who.startup)
	live := s.settings()
	method := live.credentials.method(l.user, live.auth.Method)
	if s.warming != nil {
		method = AuthTrust
	}
	l.auth = newAuthConversation(method, live.credentials, l.user, l.tls, l.offer.certificate())
	l.asked = s.loop.Now()
	s.setState(stateAuth)
	s.authStep(nil)
}

// admit checks what can be checked before the client has proved who it is.
func (s *session) admit() *wire.Error {
	settings := s.settings()
	switch {
	case s.login.user == "":
		return &wire.Error{Code: "28000", Message: "no PostgreSQL user name specified in startup packet"}
	case settings.tls != nil && settings.tls.required && s.login.tls == nil && s.login.address != "":
		return &wire.Error{Code: "28000", Message: "pgjay: TLS is required",
			Hint: "Connect with sslmode=require, or change tls.mode."}
	case s.draining:
		return errShutdown
	case int(s.clients.Load()) > settings.limits.MaxClients:
		return errTooManyClients
	}
	return nil
}

// authFrame handles a message of the client's proof.
func (s *session) authFrame(p []byte) int {
	n, ok := wire.FrameLen(p)
	if !ok {
		return 0
	}
	if n < 0 || n > s.settings().limits.MaxStartupPacket || p[0] != wire.Password {
		s.fail(&wire.Error{Code: "08P01", Message: fmt.Sprintf("expected password response, got message type %d", p[0])})
		return 0
	}
	if n > len(p) {
		return 0
	}
	s.authStep(append([]byte{}, p[wire.HeaderLen:n]...))
	return n
}

// authStep does one step of the conversation in a goroutine: a step of SCRAM
// takes CPU, and logins must not starve queries. A nil body is the first step.
func (s *session) authStep(body []byte) {
	conversation := s.login.auth
	if conversation.method == AuthTrust {
		s.authenticated()
		return
	}
	s.pauseClient(pausedWaiting)
	s.work(func() {
		step := conversation.first
		if body != nil {
			step = func() ([]byte, bool, error) { return conversation.next(body) }
		}
		var message []byte
		var done bool
		err := s.elsewhere(func() (err error) {
			message, done, err = step()
			return err
		})
		s.post(func() { s.authStepped(message, done, err) })
	})
}

func (s *session) authStepped(message []byte, done bool, err error) {
	if s.gone {
		return
	}
	if err != nil {
		s.recordAuth(err)
		s.fail(startupError(err))
		return
	}
	s.toClient(message)
	if done {
		s.recordAuth(nil)
		s.authenticated()
		return
	}
	s.proceed()
}

// authenticated continues with a client that has proved who it is. What is
// wrong with its start-up parameters is not told to strangers.
func (s *session) authenticated() {
	s.toClient(wire.AppendAuthentication(s.scratch[:0], 0, nil))
	if s.login.refusal != nil {
		s.fail(startupError(s.login.refusal))
		return
	}
	database, ok := s.login.startup.Get("database")
	if !ok || database == "" {
		database = s.login.user
	}
	if database == consoleDatabase && s.login.replicate == "" {
		s.openConsole()
		return
	}
	if s.pools.Disabled(database) {
		s.fail(notAccepting(database))
		return
	}
	s.setState(stateGreeting)
	s.who.pool = s.pools.Pool(pool.Key{Database: database, User: s.login.user})
	if s.login.replicate != "" {
		s.dialTunnel()
		return
	}
	if s.who.label.StartupOnly() || s.who.label.Sticks() || s.asksForPlans() {
		s.dialOwn(sqlparse.ReasonStartup)
		return
	}
	s.findHome()
}

// welcome greets a client that knows its home, with the parameters of a backend
// that has its label.
func (s *session) welcome() {
	params, known := s.greetings.get(s.who.pool, s.who.label)
	if known && !s.who.perishable {
		s.setParams(params)
		s.greet()
		return
	}
	if s.acquire() {
		s.greetFrom(s.back.lease)
	}
}

// greetFrom greets the client with the parameters of a backend, as soon as
// that has the session's label.
func (s *session) greetFrom(*pool.Backend) {
	if !s.back.labelling {
		s.greet()
	}
}

// greet ends start-up: the client may send statements now.
func (s *session) greet() {
	if b := s.back.lease; b != nil {
		s.setParams(b.Params)
		if !b.Dedicated() {
			s.greetings.put(s.who.pool, s.who.label, b.Params)
		}
	}
	next := stateReady
	if s.login.replicate != "" {
		next = stateTunnel
	}
	s.own = !s.pooled() || s.back.lease != nil && s.back.lease.Dedicated()
	s.cancels.add(s, s.pidTold, s.secretLen())
	out := append(s.scratch[:0], s.who.params.Wire()...)
	out = wire.AppendBackendKeyData(out, s.who.pid, []byte(s.who.secret))
	s.toClient(wire.AppendReadyForQuery(out, wire.StatusIdle))
	s.setState(next)
	s.recordLogin()
	s.login = nil
	s.clock.clear(timeoutLogin)
	s.clock.set(s, timeoutClientIdle, s.settings().timeouts.ClientIdle)
	if next == stateReady { // a replica must not be taken for one that has what it has not
		s.client.conn.Spool()
		s.afterReplies()
	}
	s.proceed()
}

// secretLen returns the length of the secret in the cancel key: 4 bytes, as
// protocol 3.0 has it, or 32 where the server would have that.
func (s *session) secretLen() int {
	version, _ := s.who.params.Get("server_version")
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); err == nil && major >= 18 && s.login.startup.Version >= wire.Version32 {
		return 32
	}
	return 4
}

// dialTunnel gets a backend for a replication connection: its bytes go through
// untouched.
func (s *session) dialTunnel() {
	s.dialDedicated(map[string]string{"replication": s.login.replicate}, s.greet)
}

// dialOwn gets a backend that is started with the session's start-up
// parameters, for a session that needs them to be just that, or the backend to be
// a new one.
func (s *session) dialOwn(why sqlparse.Reason) {
	s.dialDedicated(map[string]string{}, func() {
		s.pin(why)
		if s.state == stateGreeting {
			s.greet()
		} else {
			s.proceed()
		}
	})
}

// dialDedicated logs in with the session's start-up parameters and more.
func (s *session) dialDedicated(params map[string]string, then func()) {
	for _, p := range s.who.startup.Settings() {
		params[p.Name] = p.Value
	}
	s.dial(params, func(b *pool.Backend, err error) {
		switch {
		case s.gone && b != nil:
			b.Destroy("client_gone")
		case s.gone:
		case err != nil && s.state == stateReady:
			s.answerPending(leaseError(err, "ERROR"))
		case err != nil:
			s.fail(leaseError(err, "FATAL"))
		default:
			b.Label = s.who.startup
			s.hold(b)
			then()
		}
	})
}

// dial makes a backend outside the pool. The client is not read until then is
// called.
func (s *session) dial(params map[string]string, then func(*pool.Backend, error)) {
	s.pauseClient(pausedWaiting)
	s.sample.asked = s.loop.Now()
	s.back.dialing = true
	ctx, cancel := context.WithTimeout(context.Background(), dedicatedTimeout)
	s.waiter.Lessee, s.waiter.Loop = s, s.loop
	s.pools.DialDedicated(ctx, s.who.pool.Key(), params, &s.waiter, func(b *pool.Backend, err error) {
		defer s.endEvent()
		cancel()
		s.back.dialing = false
		then(b, err)
	})
}

// startupError turns the error of a parser into what the client is told.
func startupError(err error) *wire.Error {
	var e *wire.Error
	if errors.As(err, &e) {
		return e
	}
	return &wire.Error{Code: "08P01", Message: err.Error()}
}

// rejectReason is the metrics label of a refused login.
func (s *session) rejectReason(e *wire.Error, why closeReason) string {
	switch {
	case e == errTooManyClients:
		return "max_clients"
	case e == errTooManyLogins:
		return "max_clients_per_address"
	case why != closedByError:
		return string(why)
	case s.state == stateGreeting:
		return "backend"
	case s.state == stateAuth && s.login.refusal == nil:
		return "auth"
	}
	return "startup"
}

// startupLabel makes the label of a client's start-up parameters.
func startupLabel(params []wire.Param) (label pool.Label, err error) {
	given, err := startupSettings(params)
	if err != nil {
		return label, err
	}
	settings := make([]pool.Setting, 0, len(given))
	for _, g := range given {
		settings = append(settings, pool.Setting{Name: g.name, Value: g.value})
	}
	return pool.NewLabel(settings), nil
}

// replication returns the value of the parameter replication unless that is
// off. PostgreSQL checks it before it knows who the client is.
func replication(params []wire.Param) (value string, err error) {
	for _, p := range params {
		if p.Name != "replication" {
			continue
		}
		if err := checkReplication(p.Value); err != nil {
			return "", err
		}
		if value = p.Value; isFalse(value) {
			value = ""
		}
	}
	return value, nil
}

// isFalse reports whether PostgreSQL takes v for a false boolean (bool.c,
// parse_bool): a prefix of false, no or off that means nothing else, or 0.
func isFalse(v string) bool {
	switch strings.ToLower(v) {
	case "false", "fals", "fal", "fa", "f", "no", "n", "off", "of", "0":
		return true
	}
	return false
}
