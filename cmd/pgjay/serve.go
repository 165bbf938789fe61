package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/pgjay/pgjay/configs"
)

const serveHelp = `pgjay serve runs the proxy until SIGINT or SIGTERM. Then it accepts nobody any
more, lets open transactions finish for timeouts.shutdown, and ends; a second
signal ends it at once. SIGHUP reads the file again: a file with errors changes
nothing and is reported in the log. The log goes to standard error.

Usage: pgjay serve --config FILE [FLAGS]
       pgjay serve --backend postgres://127.0.0.1:5432 --set auth.method=trust

` + configFlagsHelp + `
Flags win over the file. pgjay check --print-default prints a file with every
key explained; pgjay check says whether yours is right.
`

// runServe is pgjay serve.
func runServe(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("serve")
	if status, ok := parseFlags(flags.set, args, serveHelp, stdout, stderr); !ok {
		return status
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // from here on it does not end the process
	defer signal.Stop(hangups)

	cfg, err := flags.load()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	// Until here a signal ends the process: a file may be a pipe that nobody
	// writes to.
	ctx, stop := untilSignal(ctx)
	defer stop()
	log, level := newLogger(cfg.Log, stderr)
	if err := run(ctx, cfg, log, &reloads{requests: hangups, load: flags.load, level: level}); err != nil {
		log.Error("pgjay failed", "error", err)
		return exitFailed
	}
	return exitOK
}

// newLogger makes the logger that a configuration asks for. Its level may be
// changed at any time.
func newLogger(c configs.LogConfig, w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(logLevel(c))
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		options.ReplaceAttr = durationsAsText
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// durationsAsText writes 30s, as in text and in the file, not nanoseconds.
func durationsAsText(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// logLevel is slog's number for log.level, which was validated.
func logLevel(c configs.LogConfig) slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level))
	return level
}
