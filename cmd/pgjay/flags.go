package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/pgjay/pgjay/configs"
)

// configFlags are the flags of all commands that read a configuration.
type configFlags struct {
	set    *flag.FlagSet
	config string         // --config
	listen []string       // --listen, each time
	values []configs.Flag // all others, in the order given
}

const configFlagsHelp = `  --config FILE      configuration file (YAML); without one, the defaults
  --backend URL      the PostgreSQL server; short for --set backend.url=URL
  --listen ADDRESS   host:port or directory of a unix socket; may be repeated;
                     replaces listen.addresses
  --admin ADDRESS    host:port of metrics and health; short for --set admin=...
  --log-level LEVEL  debug, info, warn or error
  --log-format NAME  text or json
  --set KEY=VALUE    any key of the file by its path, such as pool.size=5 or
                     auth.users.0.name=app; lists as [a, b]; may be repeated
`

func newConfigFlags(command string) *configFlags {
	f := &configFlags{set: flag.NewFlagSet("pgjay "+command, flag.ContinueOnError)}
	f.set.SetOutput(io.Discard) // parseFlags reports
	f.set.Usage = func() {}
	f.set.Func("config", "", func(v string) error {
		if v == "" {
			return errors.New("the name of the file is missing") // an unset variable of a script, not the defaults
		}
		f.config = v
		return nil
	})
	f.set.Func("listen", "", func(v string) error {
		f.listen = append(f.listen, v)
		return nil
	})
	f.set.Func("set", "", func(v string) error {
		f.values = append(f.values, configs.Set(v))
		return nil
	})
	f.short("backend", "backend.url")
	f.short("admin", "admin")
	f.short("log-level", "log.level")
	f.short("log-format", "log.format")
	return f
}

// short makes a flag of its own for the key at path.
func (f *configFlags) short(name, path string) {
	f.set.Func(name, "", func(v string) error {
		f.values = append(f.values, configs.Flag{Text: "--" + name + " " + v, Path: path, Value: v})
		return nil
	})
}

// load reads the configuration that the flags describe.
func (f *configFlags) load() (*configs.Config, error) {
	values := f.values
	if len(f.listen) > 0 {
		values = append([]configs.Flag{addresses(f.listen)}, values...)
	}
	return configs.LoadFlags(f.config, values)
}

// addresses is the flag for a list of --listen.
func addresses(list []string) configs.Flag {
	quoted := make([]string, len(list))
	for i, a := range list {
		quoted[i] = "'" + strings.ReplaceAll(a, "'", "''") + "'"
	}
	return configs.Flag{
		Text:  "--listen " + strings.Join(list, " --listen "),
		Path:  "listen.addresses",
		Value: "[" + strings.Join(quoted, ", ") + "]",
	}
}

// parseFlags reads args into set. If it returns false, there is nothing more
// to do than to exit with status: help was printed, or what is wrong.
func parseFlags(set *flag.FlagSet, args []string, help string, stdout, stderr io.Writer) (status int, ok bool) {
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help)
		return exitOK, false
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q: everything is given by flags", set.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\n%s --help lists the flags\n", set.Name(), flagError(err), set.Name())
		return exitUsage, false
	}
	return exitOK, true
}

// flagError is package flag's error with the two dashes that we document.
func flagError(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return "there is no flag --" + name
	}
	return strings.NewReplacer("argument: -", "argument: --", "for flag -", "for flag --").Replace(text)
}
