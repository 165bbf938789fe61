package monitor

import (
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/monitor/plan"
)

// Config says what is recorded of statements, and which are looked into. The zero value
// is nothing.
type Config struct {
	// MaxStatements bounds the shapes of statements that are told apart. Each takes 1 to 2 KB
	// and its text, which has 16 KB at most, and may be kept a while after it was forgotten. 0:
	// nothing of this section is done. Choose it above the number of shapes that the
	// applications have; what SHOW STATEMENTS shows as others had no room.
	MaxStatements int `yaml:"max_statements"`
	// SlowThreshold is from which duration on, as the client sees it, a statement is
	// logged; 0: none is.
	SlowThreshold time.Duration `yaml:"slow_threshold"`
	// Tags are the keys of comments (sqlcommenter's k='v', marginalia's k:v) that go into
	// the slow log. Others are dropped: a comment may have anything in it.
	Tags []string `yaml:"tags"`

	// OTLP is the URL of an OpenTelemetry collector that gets a span of each statement whose
	// comment names a traceparent that is sampled, and of each slow one; empty: there is none.
	// It is read at New only.
	OTLP string `yaml:"otlp"`

	// TopStatements is how many shapes are metrics of their own, those that take most time;
	// 0: none is. Choose it as small as the questions allow: each is two time series.
	TopStatements int `yaml:"top_statements"`

	// Explain is off, plan or analyze; ExplainThreshold from which time on, of the
	// backend's, a statement is explained; 0: none is.
	Explain          explain.Mode  `yaml:"explain"`
	ExplainThreshold time.Duration `yaml:"explain_threshold"`
	// AutoExplain is what the module auto_explain is to tell of plans, where the server has
	// it and lets the pool's user have it: off, plan or analyze. New backends do so.
	AutoExplain explain.Mode `yaml:"auto_explain"`
	// ExplainRate is how many statements are explained in a minute at most. Each takes the
	// server about as long as it took the client.
	ExplainRate int `yaml:"explain_rate"`
	// ExplainCooldown is how long a shape is left alone after it was explained,
	// ExplainRetry how long after an error.
	ExplainCooldown time.Duration `yaml:"explain_cooldown"`
	ExplainRetry    time.Duration `yaml:"explain_retry"`
	// ExplainMaxDuration and ExplainMaxCost are from when on a statement is not executed
	// again, ExplainTimeout is when the server gives up.
	ExplainMaxDuration time.Duration `yaml:"explain_max_duration"`
	ExplainMaxCost     float64       `yaml:"explain_max_cost"`
	ExplainTimeout     time.Duration `yaml:"explain_timeout"`
	// ExplainSuperuser lets statements of superusers be executed too. Functions that the
	// database has defined can do anything then.
	ExplainSuperuser bool `yaml:"explain_superuser"`
	// KeepPlans is how many explained statements are kept for SHOW PLANS, in 32 MB at most.
	KeepPlans int `yaml:"keep_plans"`

	// Findings says from when on something in a plan is worth a word.
	Findings plan.Thresholds `yaml:"findings"`

	// Advice says from when on what applications do is worth a word.
	Advice advice.Thresholds `yaml:"advice"`

	// Databases and Users override the thresholds, the user's entry last.
	Databases []Override `yaml:"databases"`
	Users     []Override `yaml:"users"`
}

// Override is for one database or user, named as clients do. A nil field keeps the
// general value.
type Override struct {
	Name             string         `yaml:"name"`
	SlowThreshold    *time.Duration `yaml:"slow_threshold"`
	ExplainThreshold *time.Duration `yaml:"explain_threshold"`
}

// DefaultConfig returns the built-in defaults.
func DefaultConfig() Config {
	return Config{
		MaxStatements:      5000,
		SlowThreshold:      time.Second,
		Tags:               []string{"application", "controller", "action", "route", "job", "framework", "db_driver", "traceparent"},
		Explain:            explain.Analyze,
		ExplainThreshold:   time.Second,
		AutoExplain:        explain.Off,
		ExplainRate:        6,
		ExplainCooldown:    10 * time.Minute,
		ExplainRetry:       24 * time.Hour,
		ExplainMaxDuration: 10 * time.Second,
		ExplainMaxCost:     1e7,
		ExplainTimeout:     5 * time.Second,
		KeepPlans:          200,
		Findings:           plan.DefaultThresholds(),
		Advice:             advice.DefaultThresholds(),
	}
}

func (c *Config) limits() digest.Limits {
	l := digest.Limits{Slow: c.SlowThreshold, Explain: c.ExplainThreshold, Databases: overrides(c.Databases), Users: overrides(c.Users)}
	if off := func(m explain.Mode) bool { return m == explain.Off || m == "" }; off(c.Explain) && off(c.AutoExplain) {
		l.Explain = 0
		for _, entries := range []map[string]digest.Override{l.Databases, l.Users} {
			for name, o := range entries {
				o.Explain = nil
				entries[name] = o
			}
		}
	}
	return l
}

func overrides(list []Override) map[string]digest.Override {
	m := make(map[string]digest.Override)
	for _, o := range list {
		m[o.Name] = digest.Override{Slow: o.SlowThreshold, Explain: o.ExplainThreshold}
	}
	return m
}

func (c *Config) explain() explain.Config {
	return explain.Config{
		Mode: c.Explain, Told: c.AutoExplain, Rate: c.ExplainRate, Cooldown: c.ExplainCooldown, RetryAfter: c.ExplainRetry,
		MaxDuration: c.ExplainMaxDuration, MaxCost: c.ExplainMaxCost, Timeout: c.ExplainTimeout,
		Superuser: c.ExplainSuperuser, Keep: c.KeepPlans, Thresholds: c.Findings, Advice: c.Advice,
	}
}
