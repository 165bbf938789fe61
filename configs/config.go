package configs

import (
	_ "embed" // DefaultFile

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/web"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// DefaultFile is pgjay.yaml, the commented default.
//
//go:embed pgjay.yaml
var DefaultFile []byte

// Config is everything that can be configured.
type Config struct {
	Listen    proxy.ListenConfig   `yaml:"listen"`
	Admin     string               `yaml:"admin"` // host:port of metrics and health; empty: none
	Backend   pool.BackendConfig   `yaml:"backend"`
	Auth      proxy.AuthConfig     `yaml:"auth"`
	TLS       proxy.TLSConfig      `yaml:"tls"`
	Limits    proxy.LimitsConfig   `yaml:"limits"`
	Timeouts  proxy.TimeoutsConfig `yaml:"timeouts"`
	Pool      pool.Config          `yaml:"pool"`
	Cache     cache.Config         `yaml:"cache"`
	Rewrite   rewrite.Config       `yaml:"rewrite"`
	Monitor   monitor.Config       `yaml:"monitor"`
	Dashboard web.Config           `yaml:"dashboard"`
	Log       LogConfig            `yaml:"log"`
}

// LogConfig says what is logged and how. The log goes to standard error.
type LogConfig struct {
	// Level is debug, info, warn or error. info has starts, stops, reloads and
	// what went wrong; debug has every client.
	Level string `yaml:"level"`
	// Format is text (for people) or json (for collectors).
	Format string `yaml:"format"`
}

// Default returns the built-in defaults.
func Default() *Config {
	return &Config{
		Listen:    proxy.DefaultListenConfig(),
		Admin:     "127.0.0.1:9432",
		Backend:   pool.DefaultBackendConfig(),
		Auth:      proxy.DefaultAuthConfig(),
		TLS:       proxy.DefaultTLSConfig(),
		Limits:    proxy.DefaultLimitsConfig(),
		Timeouts:  proxy.DefaultTimeoutsConfig(),
		Pool:      pool.DefaultConfig(),
		Cache:     cache.DefaultConfig(),
		Rewrite:   rewrite.DefaultConfig(),
		Monitor:   monitor.DefaultConfig(),
		Dashboard: web.DefaultConfig(),
		Log:       LogConfig{Level: "info", Format: "text"},
	}
}

// BackendURL is backend.url without a password, for logs.
func (c *Config) BackendURL() string { return maskText(c.Backend.URL) }

// Proxy returns the part that package proxy takes.
func (c *Config) Proxy() proxy.Config {
	return proxy.Config{
		Listen:   c.Listen,
		Auth:     c.Auth,
		TLS:      c.TLS,
		Limits:   c.Limits,
		Timeouts: c.Timeouts,
		Backend:  c.Backend,
		Pool:     c.Pool,
		Cache:    c.Cache,
		Rewrite:  c.Rewrite,
	}
}
