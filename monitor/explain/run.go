package explain

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

const (
	explainPlan    = "EXPLAIN (VERBOSE, SETTINGS, FORMAT JSON) "
	explainAnalyze = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON) "
)

// explanation is one statement on its way.
type explanation struct {
	*Request
	cfg       *Config
	conn      *pgconn.PgConn
	result    *Result
	raw       []byte // what EXPLAIN has said; it has literals
	facts     plan.Facts
	tables    map[string]*advice.Table
	refers    []advice.Reference // to tables that it changes
	redundant []redundant
	reach     reach
	ran       digest.Histogram // the shape's before the server was asked
	tried     map[string]trial // what came of a hypothetical index, by its definition
}

// lookAround asks for what the plan and its advice need to know of the database.
func (x *explanation) lookAround(ctx context.Context) {
	x.factsOf(ctx, x.result.Plan)
	x.tables = tablesOf(ctx, x.conn, x.result.Plan)
	x.refers, x.redundant = x.referencesOf(ctx), x.redundantOf(ctx)
}

// explain explains one statement and keeps the result.
func (e *Explainer) explain(ctx context.Context, l *links, r *Request, cfg Config) {
	ctx, cancel := context.WithTimeout(ctx, 4*cfg.Timeout+lingering)
	defer cancel()
	o := r.Shape.Owner()
	x := &explanation{Request: r, cfg: &cfg, result: &Result{
		At: time.Now(), Shape: r.Shape.ID(), Text: r.Shape.Text(), Database: o.Database, User: o.User, Observed: r.Observed,
	}}
	if stat, known := e.table.Find(r.Shape.ID()); known {
		x.ran = stat.Histogram
	}
	began := time.Now()
	by, queue := e.converse, &e.queue
	if r.Told != nil {
		by, queue = e.takeTold, &e.told
	}
	err := e.guarded(l, x, func() error { return by(ctx, l, x) })
	wait := cfg.Cooldown
	if err != nil {
		if wait = cfg.RetryAfter; x.refused(err) {
			wait = cfg.Cooldown
		}
		e.log.Debug("a slow statement could not be explained", "database", o.Database, "user", o.User, "shape", r.Shape.ID().String(), "reason", x.result.Reason)
	}
	e.mu.Lock()
	queue.cool(r.Shape.ID(), time.Now(), wait)
	e.mu.Unlock()
	if x.result.Plan != nil {
		if e.ran != nil && !x.result.Told {
			e.ran(x.result.Plan.Analyzed, time.Since(began))
		}
		_ = e.guarded(l, x, func() error { e.conclude(x); return nil }) // it is logged there
	}
	e.keep(x.result)
	if x.result.Told {
		e.logTold(x.result)
	}
}

// refused notes an error, and reports whether it is none of the statement's and may pass.
func (x *explanation) refused(err error) (later bool) {
	var none noLink
	if !errors.As(err, &none) || !none.passes() {
		x.stop(SkipError, refusal(err))
		return false
	}
	var said *pgconn.PgError
	if errors.Is(err, errNoRoom) || errors.As(err, &said) && said.Code == "53300" {
		x.stop(SkipBusy, "no connection was left for it")
		return true
	}
	x.stop(SkipBusy, refusal(err))
	return true
}

var errPanic = errors.New("an error in PgJay itself")

// guarded calls f, whose panic must not end the process: it is for an extra.
func (e *Explainer) guarded(l *links, x *explanation, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			e.log.Error("explaining a statement has failed because of an error in PgJay itself; please report it",
				"shape", x.result.Shape.String(), "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			l.drop(x.Key)
			err = errPanic
		}
	}()
	return f()
}

// lingering is what logging in and tidying up may take on top.
const lingering = 10 * time.Second

// converse does all that needs the connection, and leaves it as it was, or closed.
func (e *Explainer) converse(ctx context.Context, l *links, x *explanation) error {
	e.mu.Lock()
	connect, busy := e.connect, e.busy
	e.mu.Unlock()
	if x.Text == nil {
		x.stop(SkipText, "its text was not kept, as it was too long (more than 16 kB) or prepared by SQL's PREPARE")
		return nil
	}
	part, explainable, why := gateText(x.Text)
	if x.Unlike != "" && explainable {
		x.stop(SkipSession, x.Unlike)
		return nil
	}
	if why != "" {
		x.stop(SkipText, why)
	}
	if !explainable {
		return nil
	}
	leave, err := x.attach(ctx, l, connect)
	if err != nil {
		return err
	}
	defer leave()
	if err := x.begin(ctx); err != nil {
		return err
	}
	if planned, err := x.mayPlan(ctx, part); err != nil || !planned {
		return err
	}
	if x.Unknown {
		return x.explainUnbound(ctx, part)
	}
	if x.result.Plan, err = x.ask(ctx, explainPlan); err != nil {
		return err
	}
	if why == "" {
		x.mayAnalyze(ctx, busy)
	}
	x.lookAround(ctx)
	if x.result.Reason == "" {
		x.analyze(ctx)
	}
	return x.proveIndexes(ctx)
}

// attach takes a connection for the explanation; leave tidies up.
func (x *explanation) attach(ctx context.Context, l *links, connect Connect) (leave func(), err error) {
	if x.conn, err = l.get(ctx, x.Key, connect); err != nil {
		return nil, err
	}
	return func() {
		if tidy(ctx, x.conn) != nil {
			l.drop(x.Key)
		}
		l.release(ctx, x.Key)
	}, nil
}

// mayPlan is the part of gate 2 that comes before a plain EXPLAIN.
func (x *explanation) mayPlan(ctx context.Context, part *sqlparse.Part) (bool, error) {
	m := named(part, x.Text)
	m.oids = x.Types
	if err := x.reach.follow(ctx, x.conn, m); err != nil {
		return false, err
	}
	return !x.stop(SkipFunction, x.reach.mayExecute()), nil
}

// mayAnalyze asks the gates that need the server; see gate.go.
func (x *explanation) mayAnalyze(ctx context.Context, busy func(pool.Key) bool) {
	switch {
	case x.cfg.Mode != Analyze:
		x.stop(SkipMode, "monitor.explain is "+string(x.cfg.Mode))
		return
	case x.Note != "":
		x.stop(SkipSession, x.Note)
		return
	case busy != nil && busy(x.Key):
		x.stop(SkipBusy, "most backends were busy")
		return
	}
	if x.stop(SkipDuration, gateTime(x.Observed, x.cfg)) || x.stop(SkipPlan, gatePlan(x.result.Plan, x.cfg)) {
		return
	}
	err := x.reach.follow(ctx, x.conn, called(x.raw))
	why := x.reach.why()
	if err == nil && !x.stop(SkipFunction, why) && !x.cfg.Superuser {
		why, err = gateSuperuser(ctx, x.conn)
		x.stop(SkipSuperuser, why)
	}
	if err != nil {
		x.stop(SkipError, "it could not be found out whether that is harmless: "+refusal(err))
	}
}

// stop notes why the statement is not to be executed, if there is a reason.
func (x *explanation) stop(skip Skip, why string) bool {
	if why != "" {
		x.result.Skip, x.result.Reason = skip, why
	}
	return why != ""
}

// gateSuperuser is the second half of gate 5.
func gateSuperuser(ctx context.Context, conn *pgconn.PgConn) (string, error) {
	r := conn.ExecParams(ctx, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolsuper AND rolname OPERATOR(pg_catalog.=) ANY (ARRAY[current_user, session_user]::pg_catalog.name[])", nil, nil, nil, nil).Read()
	if r.Err == nil && len(r.Rows) > 0 {
		return "its user is a superuser (monitor.explain_superuser)", nil
	}
	return "", r.Err
}

// analyze executes the statement. If that fails the plain plan stays, with the reason.
func (x *explanation) analyze(ctx context.Context) {
	analyzed, err := x.ask(ctx, explainAnalyze)
	if err != nil {
		x.stop(SkipError, "it failed when it was executed: "+refusal(err))
		return
	}
	x.result.Plan = analyzed
}

// beginAgain leaves a transaction that has failed for a new one.
func (x *explanation) beginAgain(ctx context.Context) error {
	if _, err := x.conn.Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
		return err
	}
	return x.begin(ctx)
}

// begin opens a transaction that can change nothing, and makes the session what the
// client's is. The limits come last: the client's own do not count.
func (x *explanation) begin(ctx context.Context) error {
	if _, err := x.conn.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY").ReadAll(); err != nil {
		return err
	}
	limit := strconv.FormatInt(x.limit().Milliseconds(), 10)
	settings := append(x.Settings[:len(x.Settings):len(x.Settings)],
		pool.Setting{Name: "application_name", Value: "pgjay-explain"},
		pool.Setting{Name: "statement_timeout", Value: limit},
		pool.Setting{Name: "lock_timeout", Value: "100"},
		pool.Setting{Name: "idle_in_transaction_session_timeout", Value: "10000"})
	for _, s := range settings {
		r := x.conn.ExecParams(ctx, "SELECT pg_catalog.set_config($1, $2, true)", [][]byte{[]byte(s.Name), []byte(s.Value)}, nil, nil, nil).Read()
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

// limit is how long each statement may take on the server: twice what the client's took, and
// for short ones more, as EXPLAIN ANALYZE reads the clock for each row.
func (x *explanation) limit() time.Duration {
	return max(min(max(2*x.Observed, time.Second), x.cfg.Timeout), 100*time.Millisecond)
}

// ask has the statement explained, with the client's own bytes for its parameters. The
// extended protocol lets no second statement through.
func (x *explanation) ask(ctx context.Context, how string) (*plan.Plan, error) {
	r := x.conn.ExecParams(ctx, how+string(x.Text), x.Values, x.Types, x.Formats, nil).Read()
	if r.Err != nil {
		return nil, r.Err
	}
	if len(r.Rows) != 1 || len(r.Rows[0]) != 1 {
		return nil, errors.New("EXPLAIN has returned something else than a plan")
	}
	x.raw = r.Rows[0][0]
	return plan.Parse(x.raw)
}

// tidy takes everything back. DISCARD ALL ends what a rollback leaves: advisory locks,
// settings, temporary objects.
func tidy(ctx context.Context, conn *pgconn.PgConn) error {
	if conn.IsClosed() {
		return errors.New("closed")
	}
	for _, sql := range []string{"ROLLBACK", "DISCARD ALL"} {
		if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}

// refusal says why PostgreSQL did not explain. Its message may have values in it, so
// it is shown only where it has names and nothing else.
func refusal(err error) string {
	var refused *pgconn.PgError
	if errors.Is(err, errPanic) {
		return err.Error()
	}
	if !errors.As(err, &refused) {
		return "PostgreSQL could not be reached, or its reply not be read"
	}
	switch refused.Code {
	case "42P01", "42703", "42883", "3F000":
		return "something that it names is not there (" + refused.Code + ")"
	case "42501":
		return "it may not do that (42501)"
	case "57014":
		return "it took too long (57014)"
	case "55P03":
		return "it had to wait for a lock (55P03)"
	}
	return fmt.Sprintf("PostgreSQL says %s", refused.Code)
}
