package proxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/catalog"
)

// calledFunction is a function that a statement calls, or may call, and whose answers
// may be remembered only because a rule declares what it reads.
type calledFunction struct{ schema, name string }

func (f calledFunction) String() string { return f.schema + "." + f.name + "()" }

// declaredIn returns what is declared of f; nil if it is nothing.
func (f calledFunction) declaredIn(all []cache.Function) *cache.Function {
	for i := range all {
		if name, err := pool.ParseFunction(all[i].Name); err == nil && (name == f.name || name == f.schema+"."+f.name) {
			return &all[i]
		}
	}
	return nil
}

// function is the catalog's Function, for what the rules declare too. Whether the rule
// that declares a function is the statement's own is seen later: which that is depends
// on what the statement reads.
func (q *inquiry) function(path, name []string) (catalog.Purity, string) {
	return q.snapshot.FunctionWith(path, name, func(schema, name string) bool {
		f := calledFunction{schema, name}
		if f.declaredIn(q.rules.Declared()) == nil {
			return false
		}
		q.called = append(q.called, f)
		return true
	})
}

// addDeclared adds what the functions that are called read to the findings. read is
// what the statement reads without them. A rule that forbids to remember what they
// read wins over the one that declares them.
func (q *inquiry) addDeclared(found *findings, read []uint32) {
	read = slices.Clone(read)
	for _, f := range q.called {
		declared := f.declaredIn(found.rule.Functions)
		if declared == nil {
			found.why = fmt.Sprintf("function %s is not built in, and the statement's rule does not declare it", f)
			return
		}
		for _, table := range declared.Tables {
			schema, name, _ := strings.Cut(table, ".")
			r := q.snapshot.Resolve(nil, []string{schema, name})
			if r == nil {
				found.why = fmt.Sprintf("there is no table %s, which function %s is declared to read", table, f)
				return
			}
			read = append(read, r.OID)
		}
	}
	if found.relations, found.why = q.snapshot.Readable(read); found.why != "" {
		return
	}
	if all := q.rules.Match(q.question(found.relations)); all.Cache == cache.Never {
		found.rule = all
	}
}
