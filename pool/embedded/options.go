package embedded

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Options says what server to start. The zero value is a good one.
type Options struct {
	// Dir is where the server keeps everything. It must be empty or not exist
	// yet. The default is a new temporary directory.
	Dir string
	// Port on 127.0.0.1; 0 takes a free one.
	Port int
	// Settings go into postgresql.conf, over the defaults.
	Settings map[string]string
	// HBA is the content of pg_hba.conf. The default trusts everybody on
	// loopback and on the unix socket.
	HBA string
	// SSL makes a certificate, signed by itself, and switches ssl on.
	SSL bool
	// Log gets what the server writes to its log; nil discards it. A writer
	// that blocks blocks the server.
	Log io.Writer
	// Superuser is the first role; default postgres.
	Superuser string
}

const trustEverybody = `# TYPE  DATABASE     USER  ADDRESS       METHOD
local   all          all                 trust
host    all          all   127.0.0.1/32  trust
host    all          all   ::1/128       trust
local   replication  all                 trust
host    replication  all   127.0.0.1/32  trust
host    replication  all   ::1/128       trust
`

func (o Options) withDefaults() Options {
	if o.HBA == "" {
		o.HBA = trustEverybody
	}
	if o.Superuser == "" {
		o.Superuser = "postgres"
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o
}

// settings are what a server needs that nobody will miss.
func (o Options) settings() map[string]string {
	s := map[string]string{
		"listen_addresses": loopback,
		"max_connections":  "200",
		"timezone":         "UTC",
		"log_timezone":     "UTC",
		// The log is written to the pipe that we read, in English.
		"log_destination":   "stderr",
		"logging_collector": "off",
		"lc_messages":       "C",
		// The data need not survive.
		"fsync":              "off",
		"synchronous_commit": "off",
		"full_page_writes":   "off",
		// Files in the data directory, which go with it. Under /dev/shm they
		// would outlive a server that was killed.
		"dynamic_shared_memory_type": "mmap",
	}
	if o.SSL {
		s["ssl"] = "on"
	}
	maps.Copy(s, o.Settings)
	return s
}

// conf is what is added to initdb's postgresql.conf.
func (o Options) conf() string {
	var b strings.Builder
	settings := o.settings()
	b.WriteString("\n# What follows is written by pgjay.\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	return b.String()
}
