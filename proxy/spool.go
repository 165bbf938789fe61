package proxy

import (
	"log/slog"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
)

// What a slow client has not taken of its results may be kept by the loops (pool.spool):
// then Blocked comes only when there is no room for more, and the backend finishes, and
// goes back to the pool, while the client still takes. For PostgreSQL a client is through
// with its result then; for what runs while a client does nothing it is not.

// spoolLimits is the configuration as the loops have it.
func spoolLimits(cfg pool.SpoolConfig, log *slog.Logger) reactor.SpoolLimits {
	return reactor.SpoolLimits{
		Memory: int64(cfg.MemoryMB) << 20, Size: int64(cfg.SizeMB) << 20, Directory: cfg.Directory,
		Failed: func(directory string, err error) {
			log.Error("results of slow clients cannot be spooled: they hold their backends meanwhile",
				"directory", directory, "error", err,
				"fix", "make room there, or give another directory or a lower size_mb under pool.spool")
		},
	}
}

// SpoolStat returns what is kept for slow clients.
func (srv *Server) SpoolStat() monitor.SpoolStat {
	s := srv.group.Spool().Stat()
	return monitor.SpoolStat{Clients: s.Conns, Memory: s.Memory, Files: s.Files, Total: s.Total, Failures: s.Failures}
}

// Unspooled says that the client has taken all that was kept for it.
func (s *session) Unspooled() {
	defer s.endEvent()
	for kind := range timeoutKinds {
		if d, ok := s.patience(kind); ok && s.clock.at[kind] != 0 {
			s.clock.set(s, kind, d)
		}
	}
	if s.client.polite && !s.gone && s.answered() {
		s.leave(closedByTerminate)
		return
	}
	s.endDrained()
}

// patience returns how long a client may do nothing, if it is that which a clock is
// for. It does something while it takes what is kept for it: its time begins after that.
func (s *session) patience(kind timeoutKind) (d time.Duration, ok bool) {
	timeouts := s.settings().timeouts
	switch kind {
	case timeoutIdleInTransaction:
		return timeouts.IdleInTransaction, true
	case timeoutClientIdle:
		return timeouts.ClientIdle, true
	case timeoutHalfClosed:
		return timeouts.HalfClosed, true
	}
	return 0, false
}

// takes reports whether a clock that has run out was for a client that still takes what
// is kept for it, and winds it up again.
func (s *session) takes(kind timeoutKind) bool {
	d, ok := s.patience(kind)
	if !ok || !s.client.conn.Spooling() {
		return false
	}
	s.clock.set(s, kind, d)
	return true
}
