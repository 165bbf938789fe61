package pool

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The module auto_explain, where the server has it loaded, tells the plan with which a
// slow statement was executed, in a notice. A backend of a pool is started so that it
// does, if the settings of auto_explain may be set by its user and nobody else uses them.
// They are start-up parameters: no RESET takes them back, and for PostgreSQL the session
// has not set them.

// Plans says from which time on backends tell the plan of a statement.
type Plans struct {
	Threshold time.Duration // 0: they tell none
	Rows      bool          // with the numbers of rows of each step
}

// settings are the settings of auto_explain. The level is INFO: client_min_messages does
// not hold such back, and the server's log gets none, unless log_min_messages says so.
func (p Plans) settings() []setting {
	list := []setting{{"log_level", "info"}, {"log_format", "json"}, {"log_verbose", "on"}}
	if p.Rows {
		list = append(list, setting{"log_analyze", "on"}, setting{"log_timing", "off"}, setting{"log_buffers", "on"})
	}
	ms := max(p.Threshold.Milliseconds(), 0)
	return append(list, setting{"log_min_duration", strconv.FormatInt(ms, 10)})
}

// options are the same for a StartupMessage.
func (p Plans) options() (options string) {
	for _, s := range p.settings() {
		options += " -c auto_explain." + s.name + "=" + s.value
	}
	return options
}

// askPlans has a row if auto_explain is loaded and does nothing, and the server's log
// would not get what it tells.
const askPlans = `SELECT 1 FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'auto_explain.log_min_duration'
	AND vartype OPERATOR(pg_catalog.=) 'integer' AND setting OPERATOR(pg_catalog.=) '-1'
	AND pg_catalog.current_setting('log_min_messages') OPERATOR(pg_catalog.<>) ALL ('{debug5,debug4,debug3,debug2,debug1,info}')`

// plansFor is how long it is believed what a server has said about auto_explain.
const plansFor = 10 * time.Minute

// tellers remembers of which pools the backends may tell plans.
type tellers struct {
	mu    sync.Mutex
	known map[Key]teller // guarded by mu; as many as there are pools
}

type teller struct {
	target Target
	plans  Plans
	tells  bool
	until  int64
}

// get returns what is known; ok is false if the server must be asked.
func (t *tellers) get(target Target, p Plans, now int64) (tells, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.known[target.Key]
	return known.tells, ok && known.plans == p && known.target.same(&target) && now < known.until
}

func (t *tellers) put(target Target, p Plans, tells bool, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = make(map[Key]teller)
	}
	t.known[target.Key] = teller{target, p, tells, now + int64(plansFor)}
}

// dialPooled logs in for a pool.
func (s *Set) dialPooled(ctx context.Context, t Target) (*Login, error) {
	if s.options.Plans == nil {
		return s.dial(ctx, t)
	}
	p := s.options.Plans(t.Key)
	if p.Threshold <= 0 || !s.tells(ctx, t, p) {
		return s.dial(ctx, t)
	}
	plain := t
	t.Options = p.options()
	login, err := s.dial(ctx, t)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code[:2] == "08" {
		s.tellers.put(t, p, false, s.now()) // something on the way may not know options
		return s.dial(ctx, plain)
	}
	if err != nil {
		return nil, err
	}
	login.Plans = true
	return login, nil
}

// tells reports whether the backends of a pool may be started so that they tell plans.
func (s *Set) tells(ctx context.Context, t Target, p Plans) bool {
	tells, known := s.tellers.get(t, p, s.now())
	if known {
		return tells
	}
	tells, err := mayTell(ctx, t, p)
	if err == nil {
		s.tellers.put(t, p, tells, s.now())
	}
	return tells
}

// mayTell asks the server whether that user may have auto_explain tell plans, by trying.
// An error is one of the login.
func mayTell(ctx context.Context, t Target, p Plans) (bool, error) {
	config, err := connConfig(t)
	if err != nil {
		return false, err
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.Exec(ctx, askPlans).ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		return false, nil
	}
	for _, s := range p.settings() {
		if _, err := conn.Exec(ctx, "SET auto_explain."+s.name+" = '"+s.value+"'").ReadAll(); err != nil {
			return false, nil
		}
	}
	return true, nil
}

// TellsPlans reports whether the backend was started so that it tells plans.
func (b *Backend) TellsPlans() bool { return b.login != nil && b.login.Plans }
